import type { TokenUsage } from '../attempt-event.js';
import { TokenHabits } from '../cost/token-habits.js';

/** What a generated token weighs beside one of the prompt, as in Sheng et al. (OSDI 2024). */
export const GENERATED_WEIGHT = 2;
/** About the last hundred answers count. */
const KEEP = 0.99;
/** A body that says more is not text alone. */
const MOST_PROMPTS = 16;

/** What a request is reckoned to be before it is answered, tokens. */
export interface ReckonedWork {
  /** Of the prompt, those that are not cached. */
  readonly prompt: number;
  readonly generated: number;
}

/** How much work requests of one model are: learned from what engines report, for what is known when one comes. */
export class WorkHabits {
  readonly #habits = new TokenHabits();
  #uncached = 1;
  #perPiece = 1;

  /** Tokens in a piece of a stream, 1 where the engine sends each in its own. */
  get tokensPerPiece(): number {
    return this.#perPiece;
  }

  /** @param bytes length of the body */
  reckon(bytes: number): ReckonedWork {
    const most = MOST_PROMPTS * this.#habits.promptTokens;
    const prompt = Math.min(this.#habits.tokensIn(bytes, 'bytes'), most) * this.#uncached;
    return { prompt, generated: this.#habits.output };
  }

  /**
   * Takes in an answer that ended well.
   * @param bytes length of the body
   * @param pieces of its stream; 0 for another answer
   */
  heed(bytes: number, usage: TokenUsage | null, pieces: number): void {
    this.#habits.heed({ unit: 'bytes', size: bytes }, usage, pieces * this.#perPiece);
    if (usage === null) return;
    if (usage.cached !== null && usage.prompt > 0) {
      const uncached = 1 - Math.min(usage.cached / usage.prompt, 1);
      this.#uncached = this.#uncached * KEEP + uncached * (1 - KEEP);
    }
    // Of a few pieces the first and the last tell too much.
    if (pieces < 8 || !(usage.completion >= pieces)) return;
    this.#perPiece = this.#perPiece * KEEP + (usage.completion / pieces) * (1 - KEEP);
  }
}
