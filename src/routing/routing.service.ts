import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import { Reconfigurable, type PreparedChange } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptEvent } from '../core/attempt-event.js';
import type { Engine } from '../core/engine.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { Candidate, Ranking } from '../core/ranking.js';
import { completeRanking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { type StrategyFigure, validFigures } from '../core/strategy-figure.js';
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
  /** What a strategy that takes over is told first. Bounded by the fleet. */
  #engines: readonly Engine[] = [];
  readonly #stats = new Map<string, { readonly stats: EngineStats; readonly at: number }>();

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

  /** The strategy wants the text of answers, see `RoutingStrategy.needsAnswer`. */
  get needsAnswer(): boolean {
    return this.#current.strategy.needsAnswer;
  }

  /** The strategy wants the prompts of large bodies too, see `RoutingStrategy.needsPrompt`. */
  get needsPrompt(): boolean {
    return this.#current.strategy.needsPrompt;
  }

  /** Two processes whose strategies have the same key may share what these learn: they are made alike. */
  get shareKey(): string {
    const { name, from, settings } = this.#current;
    return JSON.stringify([name, ...(from.reads ?? []).map((key) => settings[key])]);
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

  /** Tells the strategy which engines there are; never throws. */
  retain(engines: readonly Engine[]): void {
    this.#engines = engines;
    const ids = new Set(engines.map(({ id }) => id));
    for (const id of this.#stats.keys()) if (!ids.has(id)) this.#stats.delete(id);
    this.#tell('retain', (strategy) => strategy.retain?.(engines));
  }

  /** Tells the strategy what an engine says of itself; null: nothing any more. Never throws. */
  heedStats(engine: Engine, stats: EngineStats | null, at: number): void {
    if (stats === null) this.#stats.delete(engine.id);
    else this.#stats.set(engine.id, { stats, at });
    this.#tell('heedStats', (strategy) => strategy.heedStats?.(engine, stats, at));
  }

  /** What the strategy has to tell the other processes of the router; null for nothing. Never throws. */
  takeNews(): unknown {
    return this.#tell('share.take', ({ share }) => share?.take()) ?? null;
  }

  /** Tells the strategy the news of another process, of a strategy with the same `shareKey`. Never throws. */
  heedNews(from: number, news: unknown): void {
    this.#tell('share.heed', ({ share }) => share?.heed(from, news));
  }

  /** Tells the strategy that another process is gone, or that some of its news are lost. Never throws. */
  forgetNews(from: number): void {
    this.#tell('share.forget', ({ share }) => share?.forget(from));
  }

  /** What the strategy shows in `/metrics`; never throws. */
  figures(): readonly StrategyFigure[] {
    return validFigures(this.#tell('figures', (strategy) => strategy.figures?.()));
  }

  override async prepare(next: Settings): Promise<PreparedChange> {
    const { name, from, settings } = this.#current;
    const same =
      next.routingLogic === name &&
      (from.reads ?? []).every((key) => isDeepStrictEqual(next[key], settings[key]));
    const built = same ? this.#current : this.#build(next);
    return {
      commit: () => {
        if (built !== this.#current) this.#takeOver(built);
      },
      discard: async () => {},
    };
  }

  /** The strategy starts with nothing but what is known of the engines. */
  #takeOver(next: Current): void {
    this.#current = next;
    this.#tell('retain', (strategy) => strategy.retain?.(this.#engines));
    for (const engine of this.#engines) {
      const known = this.#stats.get(engine.id);
      if (known === undefined) continue;
      this.#tell('heedStats', (strategy) => strategy.heedStats?.(engine, known.stats, known.at));
    }
  }

  /** A fault of the strategy is logged and gives undefined. */
  #tell<T>(what: string, tell: (strategy: RoutingStrategy) => T): T | undefined {
    const current = this.#current;
    try {
      return tell(current.strategy);
    } catch (error) {
      this.#complain(current, `failed in ${what}: ${wordsOf(error)}`);
      return undefined;
    }
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
