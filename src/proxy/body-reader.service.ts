import { Worker } from 'node:worker_threads';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { RouterError } from '../core/errors.js';
import type { ReadPrompt } from '../core/prefix/read-prompt.js';
import { readRequest, type ReadInput, type ReadResult } from '../core/request-reader.js';
import type { PromptWish, ReadOrder, ReadReply } from './body-reader.worker.js';
import type { RequestBody } from './request-body.js';

/** What a body says. */
export interface ReadBody extends ReadResult {
  /** The prompt of a body whose object is not here, where it was asked for. */
  readonly prompt?: ReadPrompt | null;
}

interface Waiting {
  readonly resolve: (result: ReadBody) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads the model, stream flag and session out of bodies: small ones at once, larger ones in a thread
 * of its own, which is started at the first of them: JSON.parse takes about 5 ms for 1 MiB, and more
 * would hold up every stream and `/health`. The thread sees the bytes where they are.
 */
@Injectable()
export class BodyReader implements OnApplicationShutdown {
  readonly #log = new Logger(BodyReader.name);
  /** Bounded by the bodies that `--max-body-memory` admits. */
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #nextId = 0;

  /**
   * @param prompt how to read the prompt, where the object does not come back with the rest; null for not at all
   * @throws {RouterError} 400 when the body is neither a form nor a JSON object
   */
  read(body: RequestBody, input: ReadInput, prompt: PromptWish | null): ReadBody | Promise<ReadBody> {
    if (!body.large) return readRequest(body.joined(), input);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      const order: ReadOrder = { id, pieces: body.pieces, input, prompt };
      this.#thread().postMessage(order);
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#worker?.terminate();
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL('./body-reader.worker.js', import.meta.url));
    worker.unref();
    worker.on('message', (reply: ReadReply) => this.#settle(reply));
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the thread has ended')));
    this.#worker = worker;
    return worker;
  }

  #settle(reply: ReadReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    // The object stays in the other thread.
    if (reply.result !== undefined) waiting.resolve({ ...reply.result, json: false });
    else if (reply.problem !== undefined) {
      const { status, code, message, param } = reply.problem;
      waiting.reject(new RouterError(status, code, message, param));
    }
  }

  /** The thread died (out of memory, say): its bodies are lost with it, the next large one starts another. */
  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    if (this.#waiting.size > 0) this.#log.error(`reading large request bodies failed: ${error.message}`);
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new RouterError(413, 'request_too_large', 'The request body could not be read.'));
    }
    this.#waiting.clear();
  }
}
