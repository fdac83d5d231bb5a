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
   * Gives what was kept, and keeps it no more.
   * @param streams the beginning of a stream is text too; that of another answer is nothing
   */
  take(streams: boolean): Buffer | null {
    const bytes = this.#whole || streams ? Buffer.concat(this.#pieces) : null;
    this.all.held -= this.#length;
    this.#pieces = [];
    this.#length = 0;
    this.#whole = false;
    return bytes;
  }
}
