import { isTimeout, type AttemptCause } from '../core/attempt-failure.js';
import { engineTimeout, engineUnreachable, shuttingDown, type RouterError } from '../core/errors.js';

/** What happened at each engine that failed one request, in order. */
export class FailedAttempts {
  readonly #failures: { readonly engineUrl: string; readonly cause: AttemptCause }[] = [];

  add(engineUrl: string, cause: AttemptCause): void {
    this.#failures.push({ engineUrl, cause });
  }

  told(urls: boolean): string {
    return this.#failures
      .map(({ engineUrl, cause }, i) => `attempt ${i + 1}${urls ? ` (${engineUrl})` : ''}: ${cause}`)
      .join('; ');
  }

  /** What a client is answered whose request got nothing else. @param cause of the last attempt */
  verdict(cause: AttemptCause | null, urls: boolean): RouterError {
    if (cause === 'shutdown') return shuttingDown();
    const told = this.told(urls);
    return cause !== null && isTimeout(cause) ? engineTimeout(told) : engineUnreachable(told);
  }
}
