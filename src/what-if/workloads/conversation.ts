/** What one conversation will say, fixed when it begins: nothing of it depends on the engines. */
export interface ConversationPlan {
  /** Who asks, for strategies that keep sessions together. */
  readonly session: string;
  /** What it has in common with others: the beginning of its first prompt. */
  readonly shared: Int32Array;
  /** At least one. */
  readonly turns: readonly Turn[];
}

export interface Turn {
  /** Tokens that the user adds to the transcript, at least 1. */
  readonly prompt: number;
  /** Tokens of the answer, at least 1. */
  readonly output: number;
  /** Seconds from the end of the answer before it until the request; 0 in the first turn. */
  readonly think: number;
}

// Looked up once: inside a module of jest each use of a global costs more than the multiplication.
const { imul } = Math;

/** Ids of made up tokens have that many bits, as those of a tokenizer of 32,768 words have. */
const TOKEN_BITS = 15;

/** The id of token `at` of the text that `key` names: a hash, so that no text has to be kept. */
function tokenAt(key: number, at: number): number {
  let mixed = imul(key ^ imul(at + 1, 0x9e3779b1), 0x85ebca6b);
  mixed = imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 13)) >>> (32 - TOKEN_BITS);
}

/** `length` tokens of the text that `key` names. */
export function textOf(key: number, length: number): Int32Array {
  return write(new Int32Array(length), key, 0);
}

/** What a conversation has said and will say: shared text, then prompts and answers in turn. */
export class Transcript {
  readonly #tokens: Int32Array;

  /** @param key names the conversation's own text */
  constructor(plan: ConversationPlan, key: number) {
    const { shared, turns } = plan;
    const own = turns.reduce((sum, { prompt, output }) => sum + prompt + output, 0);
    this.#tokens = new Int32Array(shared.length + own);
    this.#tokens.set(shared);
    write(this.#tokens, key, shared.length);
  }

  /** The first `length` tokens. A view, not a copy: all turns together take the memory of the last one. */
  upTo(length: number): Int32Array {
    return this.#tokens.subarray(0, length);
  }

  token(at: number): number {
    return this.#tokens[at] as number;
  }
}

function write(into: Int32Array, key: number, from: number): Int32Array {
  for (let at = from; at < into.length; at++) into[at] = tokenAt(key, at);
  return into;
}
