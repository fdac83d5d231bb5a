import type { EngineSpec } from '../engine.js';
import { field, list, readMeta, text } from './object-meta.js';

/** A pod as discovery sees it: an engine that may be used, or the reason why not. */
export interface PodView {
  readonly uid: string;
  readonly name: string;
  readonly created: string;
  readonly engine: EngineSpec | null;
  /** Null exactly when `engine` is there. */
  readonly reason: string | null;
}

/**
 * Reads a pod. It is an engine when it runs, has an address, its `Ready` condition is true and it is
 * not going: a terminating pod still looks Running and Ready until its process ends, and a failed or
 * evicted one keeps its address.
 *
 * @param port the engines' port, 1-65535
 * @returns null when the object is no pod with a name and a uid
 */
export function readPod(pod: unknown, port: number): PodView | null {
  const meta = readMeta(pod);
  if (!meta) return null;
  const { uid, name, created } = meta;
  const status = field(pod, 'status');
  const host = urlHost(text(status, 'podIP'));
  const reason = meta.terminating ? 'terminating' : reasonAgainst(status, host);
  if (reason !== null || host === null)
    return { uid, name, created, engine: null, reason: reason ?? 'no address' };
  const url = `http://${host}:${port}`;
  // An address may come again with another pod, and a pod may get another address with a new sandbox.
  return { uid, name, created, engine: { id: `${url}#${uid}`, url, labels: meta.labels }, reason: null };
}

function reasonAgainst(status: unknown, host: string | null): string | null {
  const phase = text(status, 'phase');
  if (phase !== 'Running') return phase === '' ? 'no phase' : `phase ${phase.slice(0, 32)}`;
  if (host === null) return 'no address';
  const ready = list(status, 'conditions').find((condition) => text(condition, 'type') === 'Ready');
  return text(ready, 'status') === 'True' ? null : 'not ready';
}

/** The host part of a URL for an address: IPv6 in brackets; null when it is no IP address. */
export function urlHost(address: string): string | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    return address.split('.').every((part) => Number(part) <= 255) ? address : null;
  }
  if (!address.includes(':') || address.length > 45 || !/^[0-9a-fA-F:.]+$/.test(address)) return null;
  return URL.canParse(`http://[${address}]`) ? `[${address.toLowerCase()}]` : null;
}

/**
 * The engines among pods. Of several pods at one address only the youngest counts: the others are
 * remains of a node that is away.
 */
export function enginesOfPods(pods: Iterable<PodView>): readonly EngineSpec[] {
  const byUrl = new Map<string, PodView>();
  for (const pod of pods) {
    if (!pod.engine) continue;
    const other = byUrl.get(pod.engine.url);
    if (!other || isYounger(pod, other)) byUrl.set(pod.engine.url, pod);
  }
  return [...byUrl.values()].flatMap((pod) => (pod.engine ? [pod.engine] : []));
}

function isYounger(pod: PodView, other: PodView): boolean {
  return pod.created === other.created ? pod.uid > other.uid : pod.created > other.created;
}
