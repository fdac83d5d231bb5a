import type { DecayingPlane } from './decaying-plane.js';
import { type EnginePace, USUAL_PREFILL_RATE } from './engine-pace.js';

const SLOWEST = 8;
const FASTEST = 0.25;
/** Engines closer than this to the median count as equal: a fit of a hundred answers is no more exact. */
const EVEN = 0.1;
/** What was learned of an engine fades after so long without an answer of it, so that it is tried again. */
const FRESH_MS = 30_000;
const FADE_MS = 60_000;

/** Seconds for an output token: of a step alone, for each request in flight, and for each prompt token beside it. */
interface Usual {
  readonly own: number;
  readonly perRequest: number;
  readonly perPrompt: number;
}

/** The middle of the engines that serve the same base model, against which each is slow or fast. */
export class PaceGroup {
  #usual: Usual | null = null;
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
    this.#usual = known.length < 2 ? null : usualOf(known.map(({ plane }) => plane));
    this.#slope = median(known.map((pace) => pace.slope).filter((slope) => slope !== null));
    this.#prefillRate = median(paces.map((pace) => pace.prefillRate).filter((rate) => rate !== null));
  }

  /**
   * How slow an engine is: its mean seconds for a token over what the group's middle would take under the same load, of
   * requests in flight and of prompts; from .25 to 8. It is 1 while not known of two engines, and within a tenth of
   * the middle.
   * @param now monotonic milliseconds
   */
  slowness(pace: EnginePace, now: number): number {
    if (this.#usual === null || !pace.known) return 1;
    const { meanX, meanY, meanZ } = pace.plane;
    const { own, perRequest, perPrompt } = this.#usual;
    const usual = own + perRequest * meanX + perPrompt * meanZ;
    if (!(usual > 0)) return 1;
    const ratio = meanY / usual;
    const idle = now - pace.heardAt - FRESH_MS;
    const trust = idle > 0 ? Math.exp(-idle / FADE_MS) : 1;
    const slowness = Math.min(Math.max(1 + (ratio - 1) * trust, FASTEST), SLOWEST);
    return Math.abs(slowness - 1) < EVEN ? 1 : slowness;
  }
}

/**
 * The plane in the middle of these: the median of each slope, then that of what is left of the means. So one engine
 * takes part in it by the place where it is known best, and one of few does not bend it. No part is below 0, as slopes
 * that are too steep would have it: an idle engine would seem slow without bound.
 */
function usualOf(planes: readonly DecayingPlane[]): Usual {
  const perRequest = median(planes.map(({ slopeX }) => slopeX).filter((slope) => slope !== null)) ?? 0;
  const perPrompt = median(planes.map(({ slopeZ }) => slopeZ).filter((slope) => slope !== null)) ?? 0;
  const own = planes.map(({ meanX, meanY, meanZ }) => meanY - perRequest * meanX - perPrompt * meanZ);
  return { own: Math.max(median(own) ?? 0, 0), perRequest, perPrompt };
}

/** Null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
