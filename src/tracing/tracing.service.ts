import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { routerVersion } from '../config/version.js';
import { otlpEndpoint } from '../core/otlp-endpoint.js';
import { RouterRun } from '../decisions/router-run.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import type { ReceivedRequest, RequestSpan } from './request-span.js';
import type { RequestTracer } from './sdk/request-tracer.js';

/** A line of the log in this time at most, milliseconds, while spans are lost. */
const TELL_MS = 60_000;
/** How long the last spans may take at the end, milliseconds. */
const LAST_MS = 2_000;

/** Makes spans of requests where `--otel-endpoint` says where to send them; nothing of OpenTelemetry is loaded otherwise. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  readonly #log = new Logger(Tracing.name);
  #tracer: RequestTracer | null = null;
  /** Spans that were lost since the log told of some. */
  #lost = 0;
  /** Monotonic milliseconds. */
  #toldAt = -Infinity;
  #failing = false;

  constructor(
    private readonly settings: SettingsStore,
    private readonly run: RouterRun,
    private readonly metrics: RouterMetrics,
  ) {}

  async onModuleInit(): Promise<void> {
    const { otelEndpoint, otelSecure, otelServiceName, otelSampleRatio } = this.settings.current;
    const endpoint = otelEndpoint === null ? null : otlpEndpoint(otelEndpoint, otelSecure);
    if (endpoint === null) return;
    const { exporterTo, RequestTracer } = await import('./sdk/request-tracer.js');
    const count = this.metrics.countsLostSpans();
    const listener = {
      sent: () => this.#taken(endpoint.url),
      lost: (spans: number, error: Error) => {
        count(spans);
        this.#tell(spans, `${endpoint.url} does not take them: ${error.message}`);
      },
      dropped: (spans: number) => {
        count(spans);
        this.#tell(spans, `${endpoint.url} takes them too slowly`);
      },
    };
    const of = { serviceName: otelServiceName, version: routerVersion(), worker: this.run.worker };
    this.#tracer = new RequestTracer(await exporterTo(endpoint), listener, of, otelSampleRatio);
  }

  /** Whether requests have spans. */
  get on(): boolean {
    return this.#tracer !== null;
  }

  /** Null: the request has no spans, and its headers go on as they came. */
  begin(received: ReceivedRequest): RequestSpan | null {
    return this.#tracer?.begin(received) ?? null;
  }

  /** The last spans go out, if the collector takes them in time. */
  async onApplicationShutdown(): Promise<void> {
    const tracer = this.#tracer;
    if (tracer === null) return;
    this.#tracer = null;
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([
      tracer.shutdown().catch(() => undefined),
      pause(LAST_MS, undefined, { signal }).catch(() => undefined),
    ]);
    over.abort();
  }

  #tell(spans: number, why: string): void {
    this.#lost += spans;
    this.#failing = true;
    const now = performance.now();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#log.warn(`${this.#lost} spans of traces are lost: ${why}`);
    this.#lost = 0;
  }

  #taken(url: string): void {
    if (!this.#failing) return;
    this.#failing = false;
    const more = this.#lost > 0 ? `; ${this.#lost} more were lost` : '';
    this.#lost = 0;
    this.#toldAt = -Infinity;
    this.#log.log(`${url} takes spans of traces again${more}`);
  }
}
