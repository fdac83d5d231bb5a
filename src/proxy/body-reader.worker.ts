import { parentPort } from 'node:worker_threads';
import { RouterError } from '../core/errors.js';
import { readRequest, type ReadInput } from '../core/request-reader.js';

/** A body lent to this thread; its memory goes back with the answer. */
export interface ReadOrder {
  readonly id: number;
  readonly pieces: ArrayBuffer[];
  readonly input: ReadInput;
}

/** What was read; `problem` carries a RouterError's parts, since classes do not cross threads. */
export interface ReadReply {
  readonly id: number;
  readonly pieces: ArrayBuffer[];
  readonly result?: { model: string | null; stream: boolean; session: string | null };
  readonly problem?: { status: number; code: RouterError['code']; message: string; param: string | null };
}

function answer(order: ReadOrder): ReadReply {
  const { id, pieces } = order;
  try {
    const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
    const { model, stream, session } = readRequest(body, order.input);
    return { id, pieces, result: { model, stream, session } };
  } catch (error) {
    if (error instanceof RouterError) {
      const { status, code, message, param } = error;
      return { id, pieces, problem: { status, code, message, param } };
    }
    // E.g. a text longer than a string may be.
    const message = `Invalid request: the body cannot be read (${(error as Error).message}).`;
    return { id, pieces, problem: { status: 400, code: 'invalid_request', message, param: null } };
  }
}

parentPort?.on('message', (order: ReadOrder) => {
  const reply = answer(order);
  parentPort?.postMessage(reply, reply.pieces);
});
