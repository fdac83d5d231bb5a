import type { Hash64 } from '../core/hash.js';
import { readPrompt, type ReadPrompt } from '../core/prefix/read-prompt.js';
import { RequestPrompt } from '../core/prefix/request-prompt.js';
import type { PromptSource } from '../core/prompt-blocks.js';
import type { ApiShape, RequestFacts } from '../core/request-facts.js';
import { jsonObject } from '../core/request-reader.js';
import type { ReadBody } from './body-reader.service.js';
import type { RequestBody } from './request-body.js';

/** The facts of a request whose body lies here: it is parsed for those who ask for it, once. */
export class ReceivedFacts implements RequestFacts {
  readonly stream: boolean;
  openAttempts: unknown = null;
  openPrompts: unknown = null;
  gated: unknown = null;
  /** Null: there is no JSON object, or it has been parsed. */
  #source: RequestBody | null;
  #body: Readonly<Record<string, unknown>> | undefined;
  /** Null: there is none, or it has not been asked for. */
  #prompt: PromptSource | null;
  readonly #key: Hash64;

  /**
   * @param source asked for its bytes when `body` or the blocks of `prompt` are, which it has until the request's commit
   * @param key of the names of blocks, the same in all processes of the router
   */
  constructor(
    readonly id: string,
    readonly path: string,
    readonly shape: ApiShape,
    readonly model: string,
    read: ReadBody,
    readonly session: string | null,
    source: RequestBody,
    key: Hash64,
  ) {
    const { stream, json, prompt } = read;
    this.stream = stream;
    this.#source = json ? source : null;
    this.#prompt = prompt ? new RequestPrompt(() => prompt) : null;
    this.#key = key;
  }

  get body(): Readonly<Record<string, unknown>> | undefined {
    if (this.#source !== null) {
      this.#body = jsonObject(this.#source.joined());
      this.#source = null;
    }
    return this.#body;
  }

  get prompt(): PromptSource | undefined {
    const source = this.#source;
    // The object is made for the prompt alone and not kept: it is several times as large as its bytes.
    if (this.#prompt === null && source !== null)
      this.#prompt = new RequestPrompt(() => this.#read(jsonObject(source.joined())));
    else if (this.#prompt === null && this.#body !== undefined)
      this.#prompt = new RequestPrompt(() => this.#read(this.#body));
    return this.#prompt ?? undefined;
  }

  #read(body: Readonly<Record<string, unknown>> | undefined): ReadPrompt | null {
    return body === undefined ? null : readPrompt(this.shape, body, this.model, this.#key);
  }
}
