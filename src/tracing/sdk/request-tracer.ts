import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Attributes, trace, TraceFlags, type Tracer } from '@opentelemetry/api';
import { envDetector, detectResources, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { OtlpEndpoint } from '../../core/otlp-endpoint.js';
import { BoundedExport, type ExportListener } from './bounded-export.js';
import { parentIn } from './propagation.js';
import type { ReceivedRequest, RequestSpan } from '../request-span.js';
import { ATTRIBUTE } from './span-attributes.js';
import { TracedRequest, UnrecordedRequest } from './traced-request.js';

/** What a tracer tells of the process it is in. */
export interface TracedProcess {
  readonly serviceName: string;
  readonly version: string;
  /** Null in a router of one process. */
  readonly worker: number | null;
}

/** Longest value of an attribute, in characters: model names and paths are what clients make them. */
const LONGEST_VALUE = 1_024;

/** Makes the spans of requests and sends them to a collector. Has a provider of its own: that of an application around the router is none of its business. */
export class RequestTracer {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  /** @param ratio of the requests without a context of their own that are recorded, from 0 to 1 */
  constructor(exporter: SpanExporter, listener: ExportListener, of: TracedProcess, ratio: number) {
    const own: Attributes = {
      'service.name': of.serviceName,
      'service.version': of.version,
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
      'process.pid': process.pid,
    };
    if (of.worker !== null) own[ATTRIBUTE.worker] = of.worker;
    const fromOutside = detectResources({ detectors: [envDetector] });
    this.#provider = new TracerProvider({
      resource: fromOutside.merge(resourceFromAttributes(own)),
      sampler: new ParentBasedSampler({
        root: ratio < 1 ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler(),
      }),
      spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
      spanProcessors: [new BoundedExport(exporter, listener)],
    });
    this.#tracer = this.#provider.getTracer('vllm-router', of.version);
  }

  /** Null for a request whose client does not record its trace: its headers go on as they came. */
  begin(received: ReceivedRequest): RequestSpan | null {
    const parent = parentIn(received.headers);
    const flags = trace.getSpanContext(parent)?.traceFlags;
    if (flags !== undefined && (flags & TraceFlags.SAMPLED) === 0) return null;
    const request = new TracedRequest(this.#tracer, received, parent);
    return request.recorded ? request : new UnrecordedRequest(request.context);
  }

  /** Sends what is left, and closes. */
  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}

/** The exporter for one endpoint. Headers, certificates and compression come from the variables of the OTLP specification. */
export async function exporterTo({ protocol, url }: OtlpEndpoint): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url });
}
