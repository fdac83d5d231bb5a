/**
 * An abort of its own that also follows a longer-lived one, until released. In place of
 * `AbortSignal.any`, which leaves some bytes with the longer-lived signal each time on Node 20.
 */
export class LinkedAbort {
  readonly #own = new AbortController();
  readonly #follow = () => this.#own.abort(this.parent.reason);

  constructor(private readonly parent: AbortSignal) {
    if (parent.aborted) this.#follow();
    else parent.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(reason?: unknown): void {
    this.#own.abort(reason);
  }

  release(): void {
    this.parent.removeEventListener('abort', this.#follow);
  }
}
