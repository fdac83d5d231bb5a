import { type AttemptCause, isTimeout } from '../core/attempt-failure.js';
import { engineTimeout, engineUnreachable, shuttingDown, type RouterError } from '../core/errors.js';
import { inOneLine } from '../core/one-line.js';
import type { RequestFacts } from '../core/request-facts.js';

/** What happened at each engine that could not answer one request, in order. */
export class FailedAttempts {
  readonly #failures: { readonly engineUrl: string; readonly cause: AttemptCause }[] = [];

  add(engineUrl: string, cause: AttemptCause): void {
    this.#failures.push({ engineUrl, cause });
  }

  /** The cause of the last one; null before one. */
  get last(): AttemptCause | null {
    return this.#failures.at(-1)?.cause ?? null;
  }

  /** The line of the log. */
  line({ id, model }: RequestFacts): string {
    return `request ${id} for model ${inOneLine(model)} failed: ${this.told(true)}`;
  }

  /** @param urls engines may be named */
  told(urls: boolean): string {
    return this.#failures
      .map(({ engineUrl, cause }, i) => `attempt ${i + 1}${urls ? ` (${engineUrl})` : ''}: ${cause}`)
      .join('; ');
  }

  /** What the client hears when no engine is left to be tried, or no time. @param cause the last one */
  verdict(cause: AttemptCause | null, urls: boolean): RouterError {
    if (cause === 'shutdown') return shuttingDown();
    return cause !== null && isTimeout(cause)
      ? engineTimeout(this.told(urls))
      : engineUnreachable(this.told(urls));
  }
}
