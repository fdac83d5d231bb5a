import { DecayingLine } from './decaying-line.js';
import { DecayingPlane } from './decaying-plane.js';
import { TrackedMedian } from './tracked-median.js';

/** Answers from which the fit is believed. */
const ENOUGH_ANSWERS = 50;
/** Fits go by about the last hundred answers. */
const KEEP = 0.99;
/** Shorter answers tell of pauses between pieces more than of the pace. */
const SHORTEST_ANSWER = 8;
/** A sample counts as at most this many times the fit, and at least its inverse: one preemption is no slow engine. */
const OUTLIER = 4;
/** Smaller prompts tell of the step time and of the network, not of the rate. */
const LEAST_PROMPT = 512;
/** Until it is learned: between what an L4 (4,000) and an H100 (35,000) do with a model of 8B, in tokens a second. */
export const USUAL_PREFILL_RATE = 10_000;
const ENOUGH_PROMPTS = 10;

/** How fast one engine computes, learned from the streams that it answered. */
export class EnginePace {
  readonly #plane = new DecayingPlane(KEEP);
  /** The same without the time that went to the prompts of others. */
  readonly #decoding = new DecayingLine(KEEP);
  readonly #prefill = new TrackedMedian();
  #heardAt = -Infinity;

  /** Whether there are answers enough to compare this engine with others. */
  get known(): boolean {
    return this.#plane.points >= ENOUGH_ANSWERS;
  }

  /** When the last answer was heard, monotonic milliseconds. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Prompt tokens computed in a second; null until ten larger prompts told. */
  get prefillRate(): number | null {
    return this.#prefill.values < ENOUGH_PROMPTS ? null : this.#prefill.value;
  }

  /**
   * Seconds by which each output token is later for one more request that decodes; null while not known. Without
   * what prompts take: more requests in flight bring more prompts, and those are reckoned apart.
   */
  get slope(): number | null {
    return this.#decoding.points >= ENOUGH_ANSWERS ? this.#decoding.slope : null;
  }

  /**
   * Seconds for each output token: y, against requests in flight, x, and prompt tokens that the engine computed in the
   * time of one output token, z. A step of vLLM takes a time of its own, one for each sequence that decodes, and one for
   * each prompt token of the chunk that it computes beside them.
   */
  get plane(): DecayingPlane {
    return this.#plane;
  }

  /**
   * Takes in an answer.
   * @param tokens of the answer
   * @param span from its first token to its last, milliseconds
   * @param inFlight mean of the requests in flight over that time
   * @param at monotonic milliseconds
   * @param prefill prompt tokens that the engine computed in that time
   */
  heedAnswer(tokens: number, span: number, inFlight: number, at: number, prefill = 0): void {
    if (!(tokens >= SHORTEST_ANSWER) || !(span > 0)) return;
    let pace = span / 1000 / (tokens - 1);
    const prompts = prefill / (tokens - 1);
    const rate = this.prefillRate;
    if (rate !== null) this.#decoding.add(inFlight, Math.max(pace - prompts / rate, 0));
    if (this.known) {
      const fit = this.#plane.at(inFlight, prompts);
      pace = Math.min(Math.max(pace, fit / OUTLIER), fit * OUTLIER);
    }
    this.#plane.add(inFlight, prompts, pace);
    this.#heardAt = at;
  }

  /**
   * Takes in the time to a first token.
   * @param tokens that the engine had to compute until then, those that were pending before it included
   * @param wait milliseconds
   */
  heedPrompt(tokens: number, wait: number): void {
    if (tokens >= LEAST_PROMPT && wait > 0) this.#prefill.add(tokens / (wait / 1000));
  }
}
