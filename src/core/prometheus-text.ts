import { LONGEST_LINE, readSample } from './prometheus-sample.js';

/** What the router reads of an engine's `/metrics`; null: the engine does not tell. */
export interface EngineStats {
  /** Requests in execution batches. */
  readonly running: number | null;
  /** Requests in the engine's queue. */
  readonly waiting: number | null;
  /** Requests swapped out to CPU memory; vLLM V0 alone. */
  readonly swapped: number | null;
  /**
   * Used share of the KV cache, 0 to 1. Of several ranks the fullest: it is the one that makes
   * requests wait.
   */
  readonly kvCacheUsage: number | null;
  /** Prefix cache look-ups and hits since the engine began, in tokens (in blocks before vLLM 0.9). */
  readonly prefixCacheQueries: number | null;
  readonly prefixCacheHits: number | null;
  /** Hits by look-ups, 0 to 1; from V0 engines their own figure. */
  readonly prefixCacheHitRate: number | null;
  /** False while at least one rank sleeps; such an engine takes requests and does not answer them. */
  readonly awake: boolean | null;
  readonly promptTokens: number | null;
  readonly generationTokens: number | null;
  /** Tokens in one block of the KV cache. */
  readonly blockSize: number | null;
  /** Blocks of all ranks. */
  readonly numGpuBlocks: number | null;
  /** Steps of the engine since it began; absent: not told. */
  readonly iterations?: number;
  /** Seconds in which it computed the prompts of the requests that have ended, added up; absent: not told. */
  readonly prefillSeconds?: number;
  /** When the process of the engine's API was started, seconds since the epoch; absent: not told, as with several. */
  readonly startedAt?: number;
}

/** Whether the engine sleeps; null: it does not tell, or nothing is known of it. */
export const isAsleep = (told: EngineStats | null): boolean | null =>
  told === null || told.awake === null ? null : !told.awake;

type Field = Exclude<keyof EngineStats, 'awake'> | 'awakeness';

/** How samples of one field are made one: engines with data parallelism have a series for each rank. */
type Fold = 'sum' | 'max' | 'min' | 'mean';

const FOLDS: Readonly<Record<Field, Fold>> = {
  running: 'sum',
  waiting: 'sum',
  swapped: 'sum',
  kvCacheUsage: 'max',
  prefixCacheQueries: 'sum',
  prefixCacheHits: 'sum',
  prefixCacheHitRate: 'mean',
  awakeness: 'min',
  promptTokens: 'sum',
  generationTokens: 'sum',
  blockSize: 'max',
  numGpuBlocks: 'sum',
  startedAt: 'max',
  iterations: 'sum',
  prefillSeconds: 'sum',
};

/** Of the Prometheus client of Python, as all that begins with `process_`. */
const STARTED = 'process_start_time_seconds';

/**
 * Names by field, the newest first: where an engine has several (vLLM 0.9 and 0.10 have both), the
 * newest is heard alone, so that nothing is counted twice.
 */
const NAMES: Readonly<Partial<Record<Field, readonly string[]>>> = {
  running: ['vllm:num_requests_running'],
  waiting: ['vllm:num_requests_waiting'],
  swapped: ['vllm:num_requests_swapped'],
  kvCacheUsage: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
  prefixCacheQueries: [
    'vllm:prefix_cache_queries_total',
    'vllm:prefix_cache_queries',
    'vllm:gpu_prefix_cache_queries_total',
    'vllm:gpu_prefix_cache_queries',
  ],
  prefixCacheHits: [
    'vllm:prefix_cache_hits_total',
    'vllm:prefix_cache_hits',
    'vllm:gpu_prefix_cache_hits_total',
    'vllm:gpu_prefix_cache_hits',
  ],
  prefixCacheHitRate: ['vllm:gpu_prefix_cache_hit_rate'],
  promptTokens: ['vllm:prompt_tokens_total', 'vllm:prompt_tokens'],
  generationTokens: ['vllm:generation_tokens_total', 'vllm:generation_tokens'],
  startedAt: [STARTED],
  // A histogram in spite of its name, of the tokens in each step.
  iterations: ['vllm:iteration_tokens_total_count'],
  prefillSeconds: ['vllm:request_prefill_time_seconds_sum'],
};
const SLEEP_STATE = 'vllm:engine_sleep_state';
const CACHE_CONFIG = 'vllm:cache_config_info';

const FIELDS: ReadonlyMap<string, { field: Field; age: number }> = new Map(
  Object.entries(NAMES).flatMap(([field, names]) =>
    names.map((name, age) => [name, { field: field as Field, age }] as const),
  ),
);

const PREFIX = 'vllm:';
/** Samples taken in from one answer; 512 ranks with every name come to 8,000. */
const MAX_SAMPLES = 10_000;
// No count, size or share of an engine comes near; keeps every sum finite.
const MAX_VALUE = 1e15;

/** The samples of one field, made one as they come. */
class Folded {
  #age = Infinity;
  #value = 0;
  #samples = 0;

  take(value: number, fold: Fold, age: number): void {
    if (age > this.#age) return;
    if (age < this.#age) {
      this.#age = age;
      this.#samples = 0;
    }
    if (this.#samples++ === 0) this.#value = value;
    else if (fold === 'max') this.#value = Math.max(this.#value, value);
    else if (fold === 'min') this.#value = Math.min(this.#value, value);
    else if (fold === 'sum') this.#value += value;
    else this.#value += (value - this.#value) / this.#samples;
  }

  get value(): number | null {
    return this.#samples === 0 ? null : this.#value;
  }
}

/**
 * Reads an answer of an engine's `/metrics`, in the text format 0.0.4, 1.0.0 or OpenMetrics, as vLLM V0
 * and V1 write it. Never throws: lines and values that make no sense are passed over, so that any text
 * has an answer, in time linear in its length. Series of several ranks (label `engine`) and several
 * `model_name` are made one, see `EngineStats`.
 */
export function readEngineStats(text: string): EngineStats {
  const fields = new Map<Field, Folded>();
  const take = (field: Field, value: number, age = 0): void => {
    if (!(value >= 0 && value <= MAX_VALUE)) return;
    let folded = fields.get(field);
    if (!folded) fields.set(field, (folded = new Folded()));
    folded.take(value, FOLDS[field], age);
  };

  let samples = 0;
  for (let start = 0; start < text.length && samples < MAX_SAMPLES;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (isOurs(text, start) && end - start <= LONGEST_LINE) {
      if (readLine(text.slice(start, end), take)) samples++;
    } else if (text.startsWith('# EOF', start)) break;
    start = end + 1;
  }
  return stats((field) => fields.get(field)?.value ?? null);
}

const isOurs = (text: string, start: number): boolean =>
  text.startsWith(PREFIX, start) || text.startsWith(STARTED, start);

/** Reads one line that begins with `vllm:` or is of the process; false when it holds nothing that the router needs. */
function readLine(line: string, take: (field: Field, value: number, age?: number) => void): boolean {
  const sample = readSample(
    line,
    (name) => FIELDS.has(name) || name === SLEEP_STATE || name === CACHE_CONFIG,
  );
  if (sample === null) return false;
  const { name, value } = sample;
  const known = FIELDS.get(name);
  if (known) {
    take(known.field, value, known.age);
  } else if (name === SLEEP_STATE) {
    if (sample.label('sleep_state') === 'awake') take('awakeness', value);
  } else if (value > 0) {
    take('blockSize', integer(sample.label('block_size')));
    take('numGpuBlocks', integer(sample.label('num_gpu_blocks')));
  }
  return true;
}

function integer(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
}

function stats(of: (field: Field) => number | null): EngineStats {
  const awakeness = of('awakeness');
  const queries = of('prefixCacheQueries');
  const hits = of('prefixCacheHits');
  const startedAt = of('startedAt');
  const iterations = of('iterations');
  const prefillSeconds = of('prefillSeconds');
  const counted = queries !== null && hits !== null && queries > 0 ? hits / queries : null;
  return {
    running: of('running'),
    waiting: of('waiting'),
    swapped: of('swapped'),
    kvCacheUsage: share(of('kvCacheUsage')),
    prefixCacheQueries: queries,
    prefixCacheHits: hits,
    prefixCacheHitRate: share(counted ?? of('prefixCacheHitRate')),
    awake: awakeness === null ? null : awakeness > 0,
    promptTokens: of('promptTokens'),
    generationTokens: of('generationTokens'),
    blockSize: of('blockSize'),
    numGpuBlocks: of('numGpuBlocks'),
    ...(startedAt === null ? {} : { startedAt }),
    ...(iterations === null ? {} : { iterations }),
    ...(prefillSeconds === null ? {} : { prefillSeconds }),
  };
}

function share(value: number | null): number | null {
  return value === null ? null : Math.min(value, 1);
}
