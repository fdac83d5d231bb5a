import { drawLength, type Lengths } from './lengths.js';
import { exponential, seededRandom } from './seeded-random.js';
import type { VirtualRequest } from './virtual-request.js';

/** Beginnings that several prompts have in common, as system prompts are. */
export interface SharedPrefixes {
  readonly count: number;
  /** Tokens of each. */
  readonly tokens: number;
  /** Share of the requests that begin with one, 0 to 1. */
  readonly share: number;
  /** Exponent of Zipf's law: 0 (the default) makes all equally frequent, 1 the first much more so. */
  readonly skew?: number;
}

export interface ArrivalOptions {
  /** The same seed gives the same requests. */
  readonly seed: number;
  /** Requests a second, on average. */
  readonly rate: number;
  readonly count: number;
  /** Tokens behind the shared prefix, at least 1. */
  readonly prompt: Lengths;
  /** Tokens to generate. */
  readonly output: Lengths;
  readonly prefixes?: SharedPrefixes;
  /** `cacheKey` of all requests. */
  readonly cacheKey?: string;
  /** Ids are below it; 32,000 by default. */
  readonly vocabulary?: number;
}

/**
 * Requests of an open loop: they come as a Poisson process, whether or not the engines keep up. Those with the
 * same shared prefix have the same session. One is made at a time, so that `count` costs no memory.
 *
 * @throws RangeError for a rate that is not above 0
 */
export function* poissonArrivals(options: ArrivalOptions): Generator<VirtualRequest, void, undefined> {
  const { seed, rate, count, prefixes, cacheKey = 'model', vocabulary = 32_000 } = options;
  if (!(rate > 0)) throw new RangeError(`the rate is ${rate}, not above 0`);
  const random = seededRandom(seed);
  const token = (): number => Math.floor(random() * vocabulary);
  const heads = sharedHeads(seed, prefixes, vocabulary);
  const popularity = cumulativeShares(heads.length, prefixes?.skew ?? 0);
  let arrival = 0;
  for (let id = 0; id < count; id++) {
    arrival += exponential(random, 1 / rate);
    const shares = heads.length > 0 && random() < (prefixes?.share ?? 0);
    const which = shares ? pick(popularity, random()) : -1;
    const head = heads[which] ?? new Int32Array(0);
    const promptTokens = new Int32Array(head.length + Math.max(1, drawLength(options.prompt, random)));
    promptTokens.set(head);
    for (let at = head.length; at < promptTokens.length; at++) promptTokens[at] = token();
    const maxTokens = drawLength(options.output, random);
    yield {
      id,
      arrival,
      session: which < 0 ? `alone-${id}` : `shared-${which}`,
      spec: { promptTokens, cacheKey, adapter: null, maxTokens },
    };
  }
}

function sharedHeads(seed: number, prefixes: SharedPrefixes | undefined, vocabulary: number): Int32Array[] {
  // A sequence of their own: more prefixes do not change the arrivals.
  const random = seededRandom(seed ^ 0x5bd1e995);
  return Array.from({ length: prefixes?.count ?? 0 }, () =>
    Int32Array.from({ length: prefixes?.tokens ?? 0 }, () => Math.floor(random() * vocabulary)),
  );
}

/** How many of all requests go to the first one, the first two, …, by Zipf's law. */
function cumulativeShares(count: number, skew: number): number[] {
  const weights = Array.from({ length: count }, (_, rank) => (rank + 1) ** -skew);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let below = 0;
  return weights.map((weight) => (below += weight / total));
}

function pick(cumulative: readonly number[], chance: number): number {
  const found = cumulative.findIndex((share) => chance < share);
  return found < 0 ? cumulative.length - 1 : found;
}
