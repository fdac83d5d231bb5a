import { type EnginePace, USUAL_PREFILL_RATE } from './engine-pace.js';

/** Requests in flight at which the engines of a group are compared; between them the line is straight. */
const PLACES = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;
const SLOWEST = 8;
const FASTEST = 0.25;
/** Engines closer than this to the median count as equal: a fit of a hundred answers is no more exact. */
const EVEN = 0.1;
/** What was learned of an engine fades after so long without an answer of it, so that it is tried again. */
const FRESH_MS = 30_000;
const FADE_MS = 60_000;

/** The middle of the engines that serve the same base model, against which each is slow or fast. */
export class PaceGroup {
  #usual: readonly number[] | null = null;
  #slope: number | null = null;
  #prefillRate: number | null = null;

  /** Median of what one more request in flight adds to the time of a token, seconds; null while not known. */
  get slope(): number | null {
    return this.#slope;
  }

  /** Median of the tokens that an engine computes in a second. */
  get prefillRate(): number {
    return this.#prefillRate ?? USUAL_PREFILL_RATE;
  }

  /** Whether `prefillRate` was learned. */
  get knowsPrefillRate(): boolean {
    return this.#prefillRate !== null;
  }

  /** Takes the middle anew; O(n log n) in the engines of the group, so not for each request. */
  refresh(paces: readonly EnginePace[]): void {
    const known = paces.filter((pace) => pace.known);
    this.#usual =
      known.length < 2 ? null : PLACES.map((n) => median(known.map((pace) => pace.secondsPerToken(n))) ?? 0);
    this.#slope = median(known.map((pace) => pace.slope).filter((slope) => slope !== null));
    this.#prefillRate = median(paces.map((pace) => pace.prefillRate).filter((rate) => rate !== null));
  }

  /**
   * How slow an engine is: its seconds for a token over the median of its group's, at the same number of requests
   * in flight; from .25 to 8. It is 1 while not known of two engines, and within a tenth of the median.
   * @param inFlight requests in flight on the engine
   * @param now monotonic milliseconds
   */
  slowness(pace: EnginePace, inFlight: number, now: number): number {
    if (this.#usual === null || !pace.known) return 1;
    const usual = valueAt(this.#usual, inFlight);
    if (!(usual > 0)) return 1;
    const ratio = pace.secondsPerToken(inFlight) / usual;
    const idle = now - pace.heardAt - FRESH_MS;
    const trust = idle > 0 ? Math.exp(-idle / FADE_MS) : 1;
    const slowness = Math.min(Math.max(1 + (ratio - 1) * trust, FASTEST), SLOWEST);
    return Math.abs(slowness - 1) < EVEN ? 1 : slowness;
  }
}

function valueAt(usual: readonly number[], inFlight: number): number {
  const n = Math.min(Math.max(inFlight, 0), PLACES.at(-1) ?? 0);
  let place = 1;
  while (place < PLACES.length - 1 && (PLACES[place] ?? 0) < n) place++;
  const [low, high] = [PLACES[place - 1] ?? 0, PLACES[place] ?? 1];
  const [from, to] = [usual[place - 1] ?? 0, usual[place] ?? 0];
  return from + ((to - from) * (n - low)) / (high - low);
}

/** Null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
