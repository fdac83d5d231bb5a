import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { DecisionRecord } from '../core/decision.js';
import type { Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { DecisionLog } from './decision-log.js';
import { DecisionTrace } from './decision-trace.js';
import { RouterRun } from './router-run.js';

/** Decisions that are remembered. */
export const REMEMBERED = 1_000;
/** The wall clock is followed when it has moved by more than this against the monotonic one, milliseconds. */
const STEP_MS = 2;

/** Follows requests from their decision to their end, where `--allow-explain` or `--decision-log` asks for it. */
@Injectable()
export class Decisions {
  /** The last `REMEMBERED` ones, as a ring; those that are under way too. */
  readonly #ring: DecisionTrace[] = [];
  #next = 0;
  /** From monotonic to wall clock, milliseconds. */
  #epoch = Date.now() - performance.now();

  constructor(
    private readonly settings: SettingsStore,
    private readonly log: DecisionLog,
    private readonly run: RouterRun,
  ) {}

  /** `--allow-explain`. */
  get explained(): boolean {
    return this.settings.current.allowExplain;
  }

  /** The log has the blocks of every prompt. */
  get needsPrompt(): boolean {
    return this.log.on;
  }

  /** A request has its ranking; null when nobody wants to know. @param receivedAt monotonic milliseconds */
  begin(facts: RequestFacts, strategy: string, ranking: Ranking, receivedAt: number): DecisionTrace | null {
    if (!this.explained && !this.log.on) return null;
    const session = facts.session === null ? null : this.run.nameOf(facts.session);
    const time = Math.round((this.#epochNow() + receivedAt) * 1_000) / 1e6;
    const trace = new DecisionTrace({ facts, strategy, session, receivedAt, time }, ranking);
    if (this.explained) {
      this.#ring[this.#next] = trace;
      this.#next = (this.#next + 1) % REMEMBERED;
    }
    return trace;
  }

  /**
   * The request is on its way: the log's blocks are named now, which is not before the engine has the request, and
   * not after its commit, when the bytes of the body go.
   */
  sent(facts: RequestFacts): void {
    if (this.log.on) facts.prompt?.blocks();
  }

  /** The request of a trace is over. */
  end(trace: DecisionTrace, facts: RequestFacts): void {
    trace.ended(performance.now());
    if (this.log.on) this.log.write(trace.record(), facts.prompt?.blocks() ?? null);
  }

  /** The last decisions, the newest first. */
  latest(count: number): DecisionRecord[] {
    const newest = [...this.#ring.slice(0, this.#next).reverse(), ...this.#ring.slice(this.#next).reverse()];
    return newest.slice(0, count).map((trace) => trace.record());
  }

  /** The last decisions of all processes of the router, the newest first. */
  async latestOfAll(count: number): Promise<readonly DecisionRecord[]> {
    return this.latest(count);
  }

  #epochNow(): number {
    const epoch = Date.now() - performance.now();
    if (Math.abs(epoch - this.#epoch) > STEP_MS) this.#epoch = epoch;
    return this.#epoch;
  }
}
