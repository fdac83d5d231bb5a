import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { OTHER_MODELS } from '../stats/model-label.js';

/** Models that are counted apart; further ones are `other`. */
const MAX_MODELS = 1024;
/** Bounds of the time for which requests are held, seconds. */
const HELD_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is read of the gate of one model. */
export interface GateFigures {
  readonly model: string;
  /** Requests held now. */
  readonly held: number;
  /** How long they would take to be sent, seconds; null while not known. */
  readonly drainSeconds: number | null;
  /** Tokens of work that the engines of the model may have; Infinity for no limit. */
  readonly limit: number;
}

/** What `/metrics` shows of admission. There is nothing of it before a model has a gate. */
export class AdmissionMetrics {
  readonly #shed: Counter;
  readonly #seconds: Histogram;
  readonly #refusedConnections: Counter;
  readonly #models = new Set<string>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.#shed = new Counter({
      name: 'vllm_router_shed_total',
      help: 'Requests that were refused because their first token could not have come in time, by reason.',
      labelNames: ['model', 'reason'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'vllm_router_held_seconds',
      help: 'How long requests were held before they were sent to an engine.',
      labelNames: ['model'],
      buckets: HELD_SECONDS,
      registers,
    });
    this.#refusedConnections = new Counter({
      name: 'vllm_router_connections_refused_total',
      help: 'Connections beyond the limit that were closed, or whose request was refused.',
      registers,
    });
  }

  /** A request was refused. */
  shed(model: string, reason: string): void {
    this.#shed.labels(this.#labelOf(model), reason).inc();
  }

  /** A request was sent on after so many seconds. */
  released(model: string, seconds: number): void {
    this.#seconds.labels(this.#labelOf(model)).observe(seconds);
  }

  connectionRefused(): void {
    this.#refusedConnections.inc();
  }

  /** Binds what is read at each scrape; once. */
  bind(read: () => Iterable<GateFigures>): void {
    this.#gauge('vllm_router_held_requests', 'Requests that are held.', 'sum', read, ({ held }) => held);
    this.#gauge(
      'vllm_router_predicted_drain_seconds',
      'How long the requests that are held would take to be sent.',
      'max',
      read,
      ({ drainSeconds }) => drainSeconds,
    );
    this.#gauge(
      'vllm_router_in_flight_limit_tokens',
      'Work that the engines of a model may have at once, tokens.',
      'sum',
      read,
      ({ limit }) => (limit === Infinity ? null : limit),
    );
  }

  #gauge(
    name: string,
    help: string,
    aggregator: 'sum' | 'max',
    read: () => Iterable<GateFigures>,
    of: (figures: GateFigures) => number | null,
  ): void {
    const gauge: Gauge = new Gauge({
      ...{ name, help, aggregator, labelNames: ['model'], registers: [this.#registry] },
      collect: () => {
        gauge.reset();
        for (const figures of read()) {
          const value = of(figures);
          if (value !== null) gauge.labels(this.#labelOf(figures.model)).set(value);
        }
      },
    });
  }

  #labelOf(model: string): string {
    if (this.#models.has(model)) return model;
    if (this.#models.size >= MAX_MODELS) return OTHER_MODELS;
    this.#models.add(model);
    return model;
  }
}
