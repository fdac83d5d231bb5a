import type { AttemptOutcome } from '../core/attempt-event.js';
import { answerText } from '../core/prefix/answer-text.js';
import type { ApiShape } from '../core/request-facts.js';

/** Most bytes kept of one answer. */
const MAX_ANSWER = 256 * 1024;
/** Most bytes kept of all answers that are coming. */
const MAX_TOTAL = 64 * 1024 * 1024;

/** The answers of which the generated text is wanted, kept until they end, within one bound for all. */
export class KeptAnswers {
  /** Bytes held. */
  held = 0;

  begin(): KeptAnswer {
    return new KeptAnswer(this);
  }
}

/** The bytes of one answer, as they come; no more than its beginning where that is long. */
export class KeptAnswer {
  #pieces: Buffer[] = [];
  #length = 0;
  #whole = true;

  constructor(private readonly all: KeptAnswers) {}

  add(bytes: Buffer): void {
    if (!this.#whole) return;
    if (this.#length + bytes.length > MAX_ANSWER || this.all.held + bytes.length > MAX_TOTAL) {
      this.#whole = false;
      return;
    }
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    this.all.held += bytes.length;
  }

  /**
   * The generated text, once; null when it is not known. The beginning of a stream has text that a next turn may
   * repeat, also where the client stopped it; that of another answer has none.
   */
  text(shape: ApiShape, streams: boolean, outcome: AttemptOutcome): string | null {
    const pieces = this.#pieces;
    this.all.held -= this.#length;
    this.#pieces = [];
    this.#length = 0;
    const known = streams
      ? outcome === 'done' || outcome === 'client_left'
      : this.#whole && outcome === 'done';
    this.#whole = false;
    return known && pieces.length > 0 ? answerText(Buffer.concat(pieces), shape) : null;
  }
}
