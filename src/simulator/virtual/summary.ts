import type { VirtualResult } from './virtual-request.js';

/** Some values in four figures; all are NaN when there is no value. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  /** The least value that 90 % of the values do not exceed. */
  readonly p90: number;
  /** The least value that 99 % of the values do not exceed. */
  readonly p99: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const { length } = sorted;
  const at = (index: number): number => sorted[Math.max(0, Math.min(length - 1, index))] ?? NaN;
  return {
    count: length,
    mean: sorted.reduce((sum, value) => sum + value, 0) / length,
    median: (at(Math.floor((length - 1) / 2)) + at(Math.ceil((length - 1) / 2))) / 2,
    p90: at(Math.ceil(length * 0.9) - 1),
    p99: at(Math.ceil(length * 0.99) - 1),
  };
}

/** When tokens of one request came; seconds of any clock. */
export interface TokenTimes {
  readonly arrival: number;
  readonly firstToken: number;
  readonly lastToken: number;
  readonly tokens: number;
}

export interface Latencies {
  /** Seconds from arrival to first token. */
  readonly ttft: Spread;
  /** Seconds for each token after the first one, by request; requests of one token have none. */
  readonly tpot: Spread;
  /** Seconds from arrival to last token. */
  readonly endToEnd: Spread;
}

export function latenciesOf(times: readonly TokenTimes[]): Latencies {
  return {
    ttft: spreadOf(times.map(({ arrival, firstToken }) => firstToken - arrival)),
    tpot: spreadOf(
      times
        .filter(({ tokens }) => tokens > 1)
        .map(({ firstToken, lastToken, tokens }) => (lastToken - firstToken) / (tokens - 1)),
    ),
    endToEnd: spreadOf(times.map(({ arrival, lastToken }) => lastToken - arrival)),
  };
}

export interface Summary extends Latencies {
  readonly requests: number;
  readonly finished: number;
  /** Share of the prompt tokens of finished requests that came from a prefix cache, 0 to 1. */
  readonly hitRate: number;
  readonly preemptions: number;
  /** Generated tokens of finished requests. */
  readonly tokens: number;
}

/** Latencies are those of finished requests; `requests` counts all, so that what failed is not lost. */
export function summaryOf(results: readonly VirtualResult[]): Summary {
  const finished = results.filter(({ outcome }) => outcome === 'finished');
  const sum = (of: (result: VirtualResult) => number): number =>
    finished.reduce((total, result) => total + of(result), 0);
  const prompts = sum(({ request }) => request.spec.promptTokens.length);
  const times = finished.flatMap(({ request, firstToken, end, tokens }) =>
    firstToken === null ? [] : [{ arrival: request.arrival, firstToken, lastToken: end, tokens }],
  );
  return {
    ...latenciesOf(times),
    requests: results.length,
    finished: finished.length,
    hitRate: prompts === 0 ? 0 : sum(({ cachedTokens }) => cachedTokens) / prompts,
    preemptions: sum(({ preemptions }) => preemptions),
    tokens: sum(({ tokens }) => tokens),
  };
}
