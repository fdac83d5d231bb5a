/** Labels read from one sample; a real one has up to 40. */
const MAX_LABELS = 256;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/**
 * Reads the `{name="value",…}` of one sample line of the Prometheus text format. In values `\\`, `\"` and
 * `\n` are escapes; another letter behind a backslash stands for both characters, as Prometheus reads it.
 */
export class LabelReader {
  readonly #line: string;
  readonly #labels = new Map<string, string>();
  #at: number;

  /** @param brace where the opening brace is */
  constructor(line: string, brace: number) {
    this.#line = line;
    this.#at = brace;
  }

  /** Where the labels end: behind the closing brace. */
  get end(): number {
    return this.#at;
  }

  get(name: string): string | undefined {
    return this.#labels.get(name);
  }

  /** False when the labels are not well-formed or too many. */
  read(): boolean {
    const line = this.#line;
    this.#at++;
    for (let read = 0; read <= MAX_LABELS; read++) {
      this.#skip(' \t,');
      if (line[this.#at] === '}') {
        this.#at++;
        return true;
      }
      const equals = line.indexOf('=', this.#at);
      if (equals < 0) return false;
      const name = line.slice(this.#at, equals).trim();
      this.#at = equals + 1;
      this.#skip(' \t');
      if (line[this.#at] !== '"') return false;
      this.#at++;
      const value = this.#value();
      if (value === null) return false;
      this.#labels.set(name, value);
    }
    return false;
  }

  /** The text up to the closing quote; null without one. */
  #value(): string | null {
    const line = this.#line;
    let value = '';
    let from = this.#at;
    for (; this.#at < line.length; this.#at++) {
      const letter = line[this.#at];
      if (letter === '"') {
        value += line.slice(from, this.#at);
        this.#at++;
        return value;
      }
      if (letter !== '\\') continue;
      const meant = ESCAPES[line[this.#at + 1] ?? ''];
      if (meant !== undefined) {
        value += line.slice(from, this.#at) + meant;
        from = this.#at + 2;
      }
      this.#at++;
    }
    return null;
  }

  #skip(letters: string): void {
    while (this.#at < this.#line.length && letters.includes(this.#line[this.#at] as string)) this.#at++;
  }
}
