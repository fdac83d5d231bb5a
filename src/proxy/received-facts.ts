import type { ApiShape, RequestFacts } from '../core/request-facts.js';
import { jsonObject, type ReadResult } from '../core/request-reader.js';
import type { RequestBody } from './request-body.js';

/** The facts of a request whose body lies here: it is parsed for those who ask for it, once. */
export class ReceivedFacts implements RequestFacts {
  readonly stream: boolean;
  openAttempts: unknown = null;
  /** Null: there is no JSON object, or it has been parsed. */
  #source: RequestBody | null;
  #body: Readonly<Record<string, unknown>> | undefined;

  /** @param source asked for its bytes when `body` is, which it has until the request's commit */
  constructor(
    readonly id: string,
    readonly path: string,
    readonly shape: ApiShape,
    readonly model: string,
    read: ReadResult,
    readonly session: string | null,
    source: RequestBody,
  ) {
    this.stream = read.stream;
    this.#source = read.json ? source : null;
  }

  get body(): Readonly<Record<string, unknown>> | undefined {
    if (this.#source !== null) {
      this.#body = jsonObject(this.#source.joined());
      this.#source = null;
    }
    return this.#body;
  }
}
