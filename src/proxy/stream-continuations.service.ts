import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { ContinuationMemory } from '../core/continuation/text-so-far.js';
import type { RequestFacts } from '../core/request-facts.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { BodyMemory } from './body-memory.js';
import type { ClientAnswer } from './client-answer.js';
import { FailureLog } from './failure-log.js';
import type { RequestBody } from './request-body.js';
import { type ContinuationOwner, type ContinuationParts, StreamContinuation } from './stream-continuation.js';

/** Streams that may go on at another engine (`--stream-failover continue`), and what they keep together. */
@Injectable()
export class StreamContinuations implements ContinuationParts {
  readonly memory = new ContinuationMemory();

  constructor(
    private readonly settings: SettingsStore,
    readonly bodies: BodyMemory,
    readonly metrics: RouterMetrics,
    readonly failures: FailureLog,
  ) {}

  /** Null for a request whose answer will not be continued whatever happens, which is each where the setting is off. */
  begin(
    facts: RequestFacts,
    body: RequestBody,
    answer: ClientAnswer,
    owner: ContinuationOwner,
  ): StreamContinuation | null {
    if (this.settings.current.streamFailover !== 'continue') return null;
    const { shape, stream } = facts;
    if (!stream || body.large || (shape !== 'chat' && shape !== 'completions')) return null;
    return new StreamContinuation(this, facts, shape, body, answer, owner);
  }
}
