import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { RouterError } from '../core/errors.js';
import type { Hash64 } from '../core/hash.js';
import { readPrompt, type ReadPrompt } from '../core/prefix/read-prompt.js';
import type { ApiShape } from '../core/request-facts.js';
import { jsonObject, readRequest, type ReadInput } from '../core/request-reader.js';

/** A body to read, in shared memory. */
export interface ReadOrder {
  readonly id: number;
  readonly pieces: readonly Uint8Array[];
  readonly input: ReadInput;
  readonly prompt: PromptWish | null;
}

/** The prompt is to be read too. */
export interface PromptWish {
  readonly shape: ApiShape;
  /** Of the hashes of what clients sent, see `RouterRun`. */
  readonly key: Hash64;
}

/** What was read; `problem` carries a RouterError's parts, since classes do not cross threads. */
export interface ReadReply {
  readonly id: number;
  readonly result?: {
    model: string | null;
    stream: boolean;
    session: string | null;
    prompt: ReadPrompt | null;
  };
  readonly problem?: { status: number; code: RouterError['code']; message: string; param: string | null };
}

// On Linux this is the priority of the thread alone (setpriority(2)): streams come before large bodies.
if (process.platform === 'linux') setPriority(0, 19);

function answer({ id, pieces, input, prompt: wish }: ReadOrder): ReadReply {
  try {
    const whole = Buffer.concat(pieces);
    const { model, stream, session, json } = readRequest(whole, input);
    const body = wish !== null && json ? jsonObject(whole) : undefined;
    const readable = wish !== null && model !== null && body !== undefined;
    const prompt = readable ? readPrompt(wish.shape, body, model, wish.key) : null;
    return { id, result: { model, stream, session, prompt } };
  } catch (error) {
    if (error instanceof RouterError) {
      const { status, code, message, param } = error;
      return { id, problem: { status, code, message, param } };
    }
    // E.g. a text longer than a string may be.
    const message = `Invalid request: the body cannot be read (${(error as Error).message}).`;
    return { id, problem: { status: 400, code: 'invalid_request', message, param: null } };
  }
}

parentPort?.on('message', (order: ReadOrder) => parentPort?.postMessage(answer(order)));
