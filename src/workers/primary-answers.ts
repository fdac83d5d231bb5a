import { Injectable, Logger } from '@nestjs/common';
import { reasonOf } from '../config/settings-error.js';
import { internalError, RouterError } from '../core/errors.js';
import { LiveSource } from '../dashboard/live-source.js';
import { OperatorActions } from '../operations/operator-actions.js';
import type { Ordered, Question } from './messages.js';
import { WorkerPool } from './worker-pool.js';

/** Answers what workers ask on behalf of operators. */
@Injectable()
export class PrimaryAnswers {
  readonly #log = new Logger('vllm-router');

  constructor(
    private readonly pool: WorkerPool,
    private readonly live: LiveSource,
    private readonly actions: OperatorActions,
  ) {}

  /** Never rejects; without an answer the worker ceases to wait. */
  async answer(worker: number, id: number, what: Question): Promise<void> {
    const answer = await this.#answer(what).catch((error: unknown) => {
      this.#log.error(`${what}: ${reasonOf(error)}`);
      return null;
    });
    this.pool.send(worker, { type: 'answer', id, answer });
  }

  async #answer(what: Question): Promise<unknown> {
    if (what === 'view') return this.live.view();
    if (what === 'past') return this.live.past();
    if (what === 'retry') return ordered(async () => this.actions.retryDiscovery());
    this.pool.broadcast({ type: 'lookAtFiles' });
    return ordered(async () => this.actions.reload());
  }
}

async function ordered<T>(act: () => Promise<T>): Promise<Ordered<T>> {
  try {
    return { done: await act() };
  } catch (error) {
    const { status, code, message } = error instanceof RouterError ? error : internalError();
    return { refused: { status, code, message } };
  }
}
