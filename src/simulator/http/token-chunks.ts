/** True when a text has as many bytes as characters, and the same ones in Latin-1 and UTF-8. */
export function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/**
 * Writes the frames of one choice of a stream as HTTP chunks. Serialised once: only the text differs between them, and
 * the size in front depends on its length alone.
 */
export class TokenChunks {
  readonly #before: string;
  readonly #after: string;
  readonly #size: number;
  /** Chunk size and the frame up to the text, by the length of the text in JSON; as many as texts have lengths. */
  readonly #heads: string[] = [];

  /** @param template ASCII text around the JSON of a token */
  constructor([before, after]: readonly [string, string]) {
    this.#before = before;
    this.#after = `${after}\r\n`;
    this.#size = before.length + after.length;
  }

  /** @param text ASCII */
  of(text: string): string {
    const json = JSON.stringify(text);
    const { length } = json;
    let head = this.#heads[length];
    if (head === undefined) {
      head = `${(this.#size + length).toString(16)}\r\n${this.#before}`;
      this.#heads[length] = head;
    }
    return head + json + this.#after;
  }
}
