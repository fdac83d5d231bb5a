import type { EngineSpec } from '../engine.js';
import { field, list, readMeta } from './object-meta.js';

/** A Service as discovery sees it. */
export interface ServiceView {
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** What one EndpointSlice says of its Service. A Service may have several. */
export interface SliceView {
  readonly uid: string;
  readonly service: string;
  /** Some address of it takes requests. */
  readonly ready: boolean;
}

/** Reads a Service; null when it has no name and uid. */
export function readService(service: unknown): ServiceView | null {
  const meta = readMeta(service);
  if (!meta) return null;
  return { uid: meta.uid, name: meta.name, labels: meta.labels, terminating: meta.terminating };
}

/**
 * Reads an EndpointSlice of `discovery.k8s.io/v1`; null when it belongs to no Service. `endpoints` is
 * absent in a new slice, and an absent `ready` means true by the API's definition.
 */
export function readSlice(slice: unknown): SliceView | null {
  const meta = readMeta(slice);
  const service = meta?.labels['kubernetes.io/service-name'] ?? '';
  if (!meta || service === '') return null;
  const ready = !meta.terminating && list(slice, 'endpoints').some(takesRequests);
  return { uid: meta.uid, service, ready };
}

function takesRequests(endpoint: unknown): boolean {
  const conditions = field(endpoint, 'conditions');
  const hasAddress = list(endpoint, 'addresses').some(
    (address) => typeof address === 'string' && address !== '',
  );
  return hasAddress && field(conditions, 'ready') !== false && field(conditions, 'terminating') !== true;
}

/**
 * One engine for each Service that has a ready address in any of its slices. The name alone is enough
 * (and is production-stack's URL) inside the Service's own namespace; from elsewhere it needs that too.
 *
 * @param domain appended to each name: '' or `.namespace`
 */
export function enginesOfServices(
  services: Iterable<ServiceView>,
  slices: Iterable<SliceView>,
  domain: string,
  port: number,
): readonly EngineSpec[] {
  const ready = new Set<string>();
  for (const slice of slices) if (slice.ready) ready.add(slice.service);
  const engines: EngineSpec[] = [];
  for (const service of services) {
    if (service.terminating || !ready.has(service.name)) continue;
    const url = `http://${service.name}${domain}:${port}`;
    engines.push({ id: `${url}#${service.uid}`, url, labels: service.labels });
  }
  return engines;
}
