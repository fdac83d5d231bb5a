import type { PromptSource } from './prompt-blocks.js';

/** The API whose error and stream shapes a request's client expects. */
export type ApiShape = 'chat' | 'completions' | 'responses' | 'messages' | 'other';

/** What the router reads out of a request before it chooses an engine; the bytes stay as they came. */
export interface RequestFacts {
  readonly id: string;
  /** Path without the query string, as the client sent it. */
  readonly path: string;
  readonly shape: ApiShape;
  readonly model: string;
  /** The client asked for a stream (`stream: true`). */
  readonly stream: boolean;
  /** Value of the session key, from the header or else the body; null without one. */
  readonly session: string | null;
  /**
   * The parsed body, made when it is asked for first; absent when it is no JSON object, was read in another thread,
   * or nobody has asked before the request's commit.
   */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** The prompt in blocks, made when it is asked for; absent where there is none to be read. */
  readonly prompt?: PromptSource | undefined;
  /** Where the statistics keep the attempts that are under way: at the request, so that they go with it. */
  openAttempts?: unknown;
  /** Where strategies keep what they reckon with until an attempt is over, for the same reason. */
  openPrompts?: unknown;
  /** Where the gate keeps what it reckoned of the request, likewise; absent where it did not. */
  gated?: unknown;
}
