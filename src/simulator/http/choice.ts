import type { FinishReason } from '../model/sequence.js';
import type { Prompt, TokenSource } from './simulated-text.js';
import type { EndedChoice } from './wire-format.js';

/** Tokens of an answer that are searched for a stop string. */
const SEARCHED_TOKENS = 4_096;

/** One of the answers of a request: what it will say, and how far it is. */
export class Choice {
  /** Tokens that the engine has made. */
  made = 0;
  /** Tokens that have been written to the client. */
  sent = 0;
  finish: FinishReason | null = null;
  finishSent = false;
  /** Tokens after which a stop string has come. */
  readonly stopAfter: number;
  readonly #stop: string | null;
  /** Characters of the text that the client gets. */
  readonly #visible: number;

  constructor(
    readonly prompt: Prompt,
    readonly tokens: TokenSource,
    maxTokens: number,
    stops: readonly string[],
    private readonly withLogprobs: boolean,
  ) {
    const found = findStop(tokens, Math.min(maxTokens, SEARCHED_TOKENS), stops);
    this.#stop = found?.stop ?? null;
    this.stopAfter = found?.after ?? Infinity;
    this.#visible = found?.visible ?? Infinity;
  }

  /** The text of token `index` as far as the client sees it. */
  visibleText(index: number): string {
    const text = this.tokens.text(index);
    if (index + 1 < this.stopAfter) return text;
    const before = lengthOf(this.tokens, index);
    return text.slice(0, Math.max(0, this.#visible - before));
  }

  /** The stop string, once it has ended the answer. */
  get stop(): string | null {
    return this.finish === 'stop' && this.made === this.stopAfter ? this.#stop : null;
  }

  /** The answer as it stands. */
  ended(): EndedChoice {
    const { tokens, made, stop } = this;
    const visible = this.#visible;
    const words = (): string[] => Array.from({ length: made }, (_, index) => tokens.text(index).trim());
    return {
      // Most streams never look at it.
      get text() {
        let text = '';
        for (let index = 0; index < made; index += 1) text += tokens.text(index);
        return text.slice(0, visible);
      },
      finish: this.finish ?? 'abort',
      stop,
      logprobs: this.withLogprobs ? words() : null,
    };
  }
}

function lengthOf(tokens: TokenSource, count: number): number {
  let length = 0;
  for (let index = 0; index < count; index += 1) length += tokens.text(index).length;
  return length;
}

/** The first stop string in an answer: after how many tokens it is complete, and what stays visible before it. */
function findStop(
  tokens: TokenSource,
  limit: number,
  stops: readonly string[],
): { readonly stop: string; readonly after: number; readonly visible: number } | null {
  if (stops.length === 0) return null;
  const longest = Math.max(...stops.map(({ length }) => length));
  let text = '';
  for (let index = 0; index < limit; index += 1) {
    const from = Math.max(0, text.length - longest);
    text += tokens.text(index);
    for (const stop of stops) {
      const at = text.indexOf(stop, from);
      if (at >= 0) return { stop, after: index + 1, visible: at };
    }
  }
  return null;
}

/** `stop` of a request: one string or several; empty ones never match. */
export function stopsOf(value: unknown): readonly string[] {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  return given.filter((stop): stop is string => typeof stop === 'string' && stop !== '');
}
