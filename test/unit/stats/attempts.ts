import type { Settings } from '../../../src/config/settings.schema.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { AttemptEvent, AttemptOutcome, TokenUsage } from '../../../src/core/attempt-event.js';
import type { Engine } from '../../../src/core/engine.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import { StatsClock } from '../../../src/stats/stats-clock.js';

/** A clock that moves when told to; milliseconds. */
export class TestClock extends StatsClock {
  time = 1_000_000;

  override now(): number {
    return this.time;
  }

  pass(seconds: number): void {
    this.time += seconds * 1000;
  }
}

export function settings(some: Partial<Settings> = {}): SettingsStore {
  return new SettingsStore({
    requestStatsWindow: 60,
    engineStatsInterval: 30,
    logStats: false,
    logStatsInterval: 30,
    vllmApiKey: null,
    ...some,
  } as Settings);
}

export function engine(url: string, models: readonly string[] = ['tiny'], id = url): Engine {
  return { id, url, models: models.map((model) => ({ id: model, parent: null })), labels: {} };
}

export function request(model = 'tiny'): RequestFacts {
  return { id: 'r', path: '/v1/chat/completions', shape: 'chat', model, stream: true, session: null };
}

interface Ending {
  readonly outcome?: AttemptOutcome;
  readonly usage?: TokenUsage | null;
  readonly cause?: string | null;
  readonly status?: number | null;
}

/** One attempt; tells listeners what happens to it, at the time of the clock. */
export class TestAttempt {
  readonly #begun: number;

  constructor(
    readonly clock: TestClock,
    readonly to: Engine,
    readonly facts: RequestFacts,
    readonly listeners: readonly { observe(event: AttemptEvent): void }[],
    readonly attempt = 1,
  ) {
    this.#begun = clock.time;
  }

  dispatch(): this {
    return this.#tell({ ...this.#base(), type: 'dispatched' });
  }

  firstToken(): this {
    return this.#tell({ ...this.#base(), type: 'firstToken', sinceDispatch: this.clock.time - this.#begun });
  }

  finish({ outcome = 'done', usage = null, cause = null, status = 200 }: Ending = {}): this {
    const sinceDispatch = this.clock.time - this.#begun;
    return this.#tell({ ...this.#base(), type: 'finished', sinceDispatch, outcome, usage, cause, status });
  }

  #base() {
    return { request: this.facts, engine: this.to, at: this.clock.time, attempt: this.attempt };
  }

  #tell(event: AttemptEvent): this {
    for (const listener of this.listeners) listener.observe(event);
    return this;
  }
}
