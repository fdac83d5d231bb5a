import type { HealthState } from '../health/health-state.js';
import { readSample, sampleLines } from '../prometheus-sample.js';

/** Cumulative counts of a histogram by upper bound, added up over models. */
export type Buckets = Map<number, number>;

/** What a router's `/metrics` says of one engine; null: it does not say. */
export interface EngineScrape {
  state: HealthState | null;
  prefill: number;
  decoding: number;
  waiting: number | null;
  pending: number | null;
  qps: number;
  hitRate: number | null;
  kvUse: number | null;
  slowness: number | null;
  /** Models that it was asked for. */
  readonly models: Set<string>;
  readonly ttft: Buckets;
  readonly itl: Buckets;
}

/** What a router's `/metrics` says at one moment. Counters are since its start. */
export interface RouterScrape {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Of the router; null: this is none. */
  version: string | null;
  /** When its oldest process was started, seconds since the epoch. */
  startedAt: number | null;
  workers: number | null;
  /** Requests that are held at gates. */
  held: number | null;
  readonly engines: Map<string, EngineScrape>;
  /** Attempts that ended, by outcome. */
  readonly outcomes: Map<string, number>;
  /** Errors of the router's own, by code. */
  readonly rejections: Map<string, number>;
  readonly retries: Map<string, number>;
  readonly ejections: Map<string, number>;
}

/** Engines that are read; as many as a fleet has. */
const MOST_ENGINES = 10_000;
/** Names of models kept for each engine. */
const MOST_MODELS = 64;

type Take = (scrape: RouterScrape, value: number, label: (name: string) => string) => void;

const add = (counts: Map<string, number>, key: string, value: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + value);
};

const ofEngine =
  (
    label: 'engine' | 'server',
    take: (engine: EngineScrape, value: number, label: (name: string) => string) => void,
  ): Take =>
  (scrape, value, labelled) => {
    const engine = engineOf(scrape, labelled(label));
    if (engine !== null) take(engine, value, labelled);
  };

const bucket = (of: (engine: EngineScrape) => Buckets): Take =>
  ofEngine('engine', (engine, value, label) => {
    const le = label('le');
    const bound = le === '+Inf' ? Infinity : Number(le);
    if (Number.isNaN(bound)) return;
    const buckets = of(engine);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  });

/** What each metric means here; docs/metrics.md describes them. */
const METRICS: Readonly<Record<string, Take>> = {
  vllm_router_build_info: (scrape, _value, label) => (scrape.version = label('version')),
  process_start_time_seconds: (scrape, value) =>
    (scrape.startedAt = Math.min(scrape.startedAt ?? value, value)),
  vllm_router_workers: (scrape, value) => (scrape.workers = value),
  vllm_router_held_requests: (scrape, value) => (scrape.held = (scrape.held ?? 0) + value),
  vllm_router_rejections_total: (scrape, value, label) => add(scrape.rejections, label('code'), value),
  vllm_router_retries_total: (scrape, value, label) => add(scrape.retries, label('cause'), value),
  vllm_router_ejections_total: (scrape, value, label) => add(scrape.ejections, label('cause'), value),
  vllm_router_requests_total: (scrape, value, label) => {
    add(scrape.outcomes, label('outcome'), value);
    const engine = engineOf(scrape, label('engine'));
    if (engine !== null && engine.models.size < MOST_MODELS) engine.models.add(label('model'));
  },
  vllm_router_engine_state: ofEngine('engine', (engine, value, label) => {
    if (value === 1) engine.state = label('state') as HealthState;
  }),
  vllm_router_requests_in_flight: ofEngine('engine', (engine, value, label) => {
    if (label('phase') === 'prefill') engine.prefill = value;
    else engine.decoding = value;
  }),
  vllm_router_pending_prompt_tokens: ofEngine('engine', (engine, value) => (engine.pending = value)),
  vllm_router_engine_slowness: ofEngine('engine', (engine, value) => (engine.slowness = value)),
  vllm_router_engine_kv_cache_usage: ofEngine('engine', (engine, value) => (engine.kvUse = value)),
  'vllm:current_qps': ofEngine('server', (engine, value) => (engine.qps = value)),
  'vllm:num_requests_waiting': ofEngine('server', (engine, value) => (engine.waiting = value)),
  'vllm:gpu_prefix_cache_hit_rate': ofEngine('server', (engine, value) => (engine.hitRate = value)),
  vllm_router_time_to_first_token_seconds_bucket: bucket(({ ttft }) => ttft),
  vllm_router_inter_token_latency_seconds_bucket: bucket(({ itl }) => itl),
};

/**
 * Reads what a router's `/metrics` says. Lines that make no sense are passed over; never throws.
 * @param at when it was asked, monotonic milliseconds
 */
export function readRouterScrape(text: string, at: number): RouterScrape {
  const scrape: RouterScrape = {
    ...{ at, version: null, startedAt: null, workers: null, held: null },
    ...{
      engines: new Map(),
      outcomes: new Map(),
      rejections: new Map(),
      retries: new Map(),
      ejections: new Map(),
    },
  };
  for (const line of sampleLines(text)) {
    const sample = readSample(line, (name) => Object.hasOwn(METRICS, name));
    if (sample === null || !(sample.value >= 0)) continue;
    METRICS[sample.name]!(scrape, sample.value, (name) => sample.label(name) ?? '');
  }
  return scrape;
}

function engineOf(scrape: RouterScrape, url: string): EngineScrape | null {
  const known = scrape.engines.get(url);
  if (known) return known;
  if (url === '' || scrape.engines.size >= MOST_ENGINES) return null;
  const engine: EngineScrape = {
    ...{ state: null, prefill: 0, decoding: 0, waiting: null, pending: null, qps: 0 },
    ...{ hitRate: null, kvUse: null, slowness: null, models: new Set(), ttft: new Map(), itl: new Map() },
  };
  scrape.engines.set(url, engine);
  return engine;
}
