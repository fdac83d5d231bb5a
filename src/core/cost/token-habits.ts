import type { TokenUsage } from '../attempt-event.js';
import type { PromptBlocks } from '../prompt-blocks.js';

const USUAL_OUTPUT = 200;
const USUAL_PROMPT = 512;
/** English in the tokenizers of today; other languages have fewer. */
const USUAL_BYTES = 4;
const FEWEST_BYTES = 1;
const MOST_BYTES = 16;
/** What is believed before the first answer weighs as much as this many answers. */
const PRIOR_ANSWERS = 10;
const PRIOR_TOKENS = 2_000;
/** About the last two hundred answers count. */
const KEEP = 0.995;
/** More tokens than any request has; one absurd count would be in the means for thousands of answers, or for ever. */
const MOST_TOKENS = 1e9;
/** A prompt whose ratio is further from the learned one is mostly images, and says nothing of text. */
const ODD_RATIO = 3;

/** A mean in which older values weigh less; begins at what is usual. Two numbers. */
class DecayingMean {
  #sum: number;
  #weight = PRIOR_ANSWERS;

  constructor(usual: number) {
    this.#sum = usual * PRIOR_ANSWERS;
  }

  get value(): number {
    return this.#sum / this.#weight;
  }

  add(value: number): void {
    this.#sum = this.#sum * KEEP + value;
    this.#weight = this.#weight * KEEP + 1;
  }
}

/** What requests of one model are like, learned from what engines report of them. */
export class TokenHabits {
  readonly #output = new DecayingMean(USUAL_OUTPUT);
  readonly #prompt = new DecayingMean(USUAL_PROMPT);
  #bytes = USUAL_BYTES * PRIOR_TOKENS;
  #tokens = PRIOR_TOKENS;
  #prompts = 0;

  /** Mean length of an answer, tokens. */
  get output(): number {
    return this.#output.value;
  }

  /** Mean length of a prompt, tokens. */
  get promptTokens(): number {
    return this.#prompt.value;
  }

  /** Bytes of canonical prompt text for one token, 1 to 16; the tokens of a chat template count in. */
  get bytesPerToken(): number {
    return Math.min(Math.max(this.#bytes / this.#tokens, FEWEST_BYTES), MOST_BYTES);
  }

  /** How many tokens `size` of the prompt's unit are. */
  tokensIn(size: number, unit: PromptBlocks['unit']): number {
    return unit === 'tokens' ? size : size / this.bytesPerToken;
  }

  /**
   * Takes in a finished answer.
   * @param pieces relayed pieces of its stream, which stand for tokens where the engine reports none
   */
  heed(prompt: Pick<PromptBlocks, 'unit' | 'size'> | null, usage: TokenUsage | null, pieces: number): void {
    const output = usage?.completion || pieces;
    if (output > 0 && output <= MOST_TOKENS) this.#output.add(output);
    if (usage === null || !(usage.prompt > 0 && usage.prompt <= MOST_TOKENS)) return;
    this.#prompt.add(usage.prompt);
    if (prompt?.unit !== 'bytes' || !(prompt.size > 0)) return;
    const off = prompt.size / usage.prompt / this.bytesPerToken;
    if (++this.#prompts > 20 && (off > ODD_RATIO || off < 1 / ODD_RATIO)) return;
    this.#bytes = this.#bytes * KEEP + prompt.size;
    this.#tokens = this.#tokens * KEEP + usage.prompt;
  }
}
