import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import { Reconfigurable, type PreparedChange } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptEvent } from '../core/attempt-event.js';
import type { Candidate, Ranking } from '../core/ranking.js';
import { completeRanking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { RankContext, RoutingStrategy, StrategyClass } from './routing-strategy.js';
import { StrategyRegistry } from './strategy-registry.js';

interface Current {
  readonly name: string;
  readonly from: StrategyClass;
  readonly settings: Settings;
  readonly strategy: RoutingStrategy;
  /** Faults are logged once for each instance: a broken plugin must not fill the log. */
  complained: boolean;
}

/**
 * Ranks with the strategy that the settings name, and switches it when they change. No fault of a
 * strategy reaches a request: what it throws or leaves out is made good here.
 */
@Injectable()
export class RoutingService extends Reconfigurable {
  readonly #log = new Logger(RoutingService.name);
  readonly #registry: StrategyRegistry;
  #current: Current;

  constructor(settings: SettingsStore, registry: StrategyRegistry) {
    super();
    this.#registry = registry;
    this.#current = this.#build(settings.current);
  }

  /** The value of `--routing-logic` in force. */
  get strategy(): string {
    return this.#current.name;
  }

  /** Whether a retry ranks the engines that are left again, see `RoutingStrategy.ranksBySignals`. */
  get ranksBySignals(): boolean {
    return this.#current.strategy.ranksBySignals;
  }

  /** Every candidate exactly once, best first; never throws. */
  rank(
    request: RequestFacts,
    candidates: readonly Candidate[],
    context: RankContext = contextNow(),
  ): Ranking {
    const current = this.#current;
    try {
      const ranking = current.strategy.rank(request, candidates, context);
      const whole = completeRanking(ranking, candidates);
      if (whole !== ranking) this.#complain(current, 'did not rank every candidate exactly once');
      return whole;
    } catch (error) {
      this.#complain(current, `failed to rank: ${wordsOf(error)}`);
      return completeRanking([], candidates);
    }
  }

  /** Tells the strategy what happened; never throws. */
  observe(event: AttemptEvent): void {
    const current = this.#current;
    try {
      current.strategy.observe?.(event);
    } catch (error) {
      this.#complain(current, `failed on a ${event.type} event: ${wordsOf(error)}`);
    }
  }

  override async prepare(next: Settings): Promise<PreparedChange> {
    const { name, from, settings } = this.#current;
    const same =
      next.routingLogic === name &&
      (from.reads ?? []).every((key) => isDeepStrictEqual(next[key], settings[key]));
    const built = same ? this.#current : this.#build(next);
    return {
      commit: () => {
        this.#current = built;
      },
      discard: async () => {},
    };
  }

  #build(settings: Settings): Current {
    const name = settings.routingLogic;
    const from = this.#registry.get(name);
    return { name, from, settings, strategy: new from(settings), complained: false };
  }

  #complain(current: Current, what: string): void {
    if (current.complained) return;
    current.complained = true;
    this.#log.error(
      `routing strategy "${current.name}" ${what}; the ranking is completed, further faults are not logged`,
    );
  }
}

function contextNow(): RankContext {
  return { now: performance.now(), random: Math.random };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no error object was thrown';
}
