import type { RouterError } from '../core/errors.js';
import type { RawHeaders } from '../core/headers.js';
import type { ApiShape } from '../core/request-facts.js';

/** Where an attempt relays its engine's answer to: the client, or what stands between for a stream that may go on elsewhere. */
export interface RelayTarget {
  readonly shape: ApiShape;
  /** The body goes out in chunk framing: `writeFramed` takes chunks as they came. */
  readonly framing: boolean;
  /** Takes the engine's status and headers. */
  head(status: number, statusText: string, headers: RawHeaders, eventStream: boolean): void;
  /** Takes bytes of the body, whole frames where it is a stream; false asks to wait for `onceDrained`. */
  write(bytes: Buffer): boolean;
  /** Takes whole chunks in their framing. */
  writeFramed(chunks: Buffer): boolean;
  /** Calls back once the client has taken what was written. */
  onceDrained(resume: () => void): void;
  /** Completes the answer, with last bytes if there are any. */
  end(bytes: Buffer | null): void;
  /**
   * Ends an answer that has begun and cannot go on.
   * @param insideFrame part of an unfinished frame has gone out
   */
  breakOff(error: RouterError, insideFrame: boolean): void;
  /** Answers with an error of the router's own. */
  error(error: RouterError): void;
}
