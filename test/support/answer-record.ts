import type { AnswerHandler, AnswerPiece } from '../../src/upstream/upstream-client.js';

/** Writes down what a client tells of one exchange. */
export class AnswerRecord implements AnswerHandler {
  status = 0;
  statusText = '';
  headers: string[] = [];
  readonly pieces: AnswerPiece[] = [];
  error: (Error & { code?: unknown }) | null = null;
  stale = false;
  /** Calls in order, to see that nothing comes after the end. */
  readonly calls: string[] = [];
  /** Resolves when the exchange has ended, well or not. */
  readonly over: Promise<'ended' | 'failed'>;
  readonly headed: Promise<void>;
  readonly begun: Promise<void>;
  #over: (how: 'ended' | 'failed') => void = () => undefined;
  #headed: () => void = () => undefined;
  #begun: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => (this.#over = resolve));
    this.headed = new Promise((resolve) => (this.#headed = resolve));
    this.begun = new Promise((resolve) => (this.#begun = resolve));
  }

  /** The body, one character a byte. */
  get text(): string {
    return this.pieces.map(({ bytes }) => bytes.toString('latin1')).join('');
  }

  head(status: number, statusText: string, headers: string[]): void {
    this.calls.push('head');
    Object.assign(this, { status, statusText, headers });
    this.#headed();
  }

  body(piece: AnswerPiece): void {
    this.calls.push('body');
    this.pieces.push(piece);
    this.#begun();
  }

  ended(): void {
    this.calls.push('ended');
    this.#over('ended');
  }

  failed(error: Error, stale: boolean): void {
    this.calls.push('failed');
    this.error = error;
    this.stale = stale;
    this.#over('failed');
  }
}
