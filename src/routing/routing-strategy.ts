import type { Settings } from '../config/settings.schema.js';
import type { AttemptEvent } from '../core/attempt-event.js';
import type { Engine } from '../core/engine.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { Candidate, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { StrategyFigure } from '../core/strategy-figure.js';

export type { StrategyFigure } from '../core/strategy-figure.js';

/** The world outside a strategy, injected so that rankings are exact under test. */
export interface RankContext {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/**
 * How the processes of one router that have the same strategy decide as one: each tells the others what it has
 * learned, in batches of some milliseconds. News are plain data that `structuredClone` takes.
 */
export interface StrategyShare {
  /** What has happened here since the last call; null when nothing has. Bounded in size. */
  take(): unknown;
  /** Takes in the news of another process, in the order in which it told them. */
  heed(from: number, news: unknown): void;
  /** The other process is gone: what it had under way is over, what it has learned stays. */
  forget(from: number): void;
}

/**
 * A rule from (request, candidates) to the order in which to try them. Classes are listed in
 * `routing/strategies/index.ts`; a plugin brings its own. Every strategy passes
 * `test/support/strategy.contract.ts`.
 */
export abstract class RoutingStrategy {
  /**
   * The ranking follows the signals of the moment, so a request that failed on one engine ranks those
   * that are left again. False: it goes on in the order it has.
   */
  readonly ranksBySignals: boolean = false;

  /**
   * Ranks every candidate exactly once, best first. Free of side effects: state moves in `observe`.
   * Work depends on the number of candidates and the size of the prompt alone.
   */
  abstract rank(request: RequestFacts, candidates: readonly Candidate[], context: RankContext): Ranking;

  /**
   * Learns from what happened; called for every attempt event, must be O(1) and bounded in memory.
   * After a switch of strategy it hears the end of attempts whose `dispatched` another one heard.
   */
  observe?(event: AttemptEvent): void;

  /** The `finished` events carry the generated text, which costs the reading of every answer. */
  readonly needsAnswer: boolean = false;

  /** Requests with a body over 1 MiB have a `prompt` too, which costs the naming of its blocks in another thread. */
  readonly needsPrompt: boolean = false;

  /** The engines that there are now: what is kept of others may be forgotten. */
  retain?(engines: readonly Engine[]): void;

  /** The engine's figures of a new scrape; null: they are not known any more. `at` in monotonic milliseconds. */
  heedStats?(engine: Engine, stats: EngineStats | null, at: number): void;

  /** Absent: processes with this strategy need not know of each other. */
  readonly share?: StrategyShare;

  /**
   * What it shows in `/metrics`, of the engines that there are alone. With several workers, counters are added up
   * and gauges are those of the worker that has served longest: each of them knows what all have learned.
   */
  figures?(): readonly StrategyFigure[];
}

/**
 * The class of a strategy, as `routing/strategies/index.ts` and plugins list it.
 *
 * @example
 * class FirstStrategy extends RoutingStrategy {
 *   static readonly strategyName = 'first';
 *   rank(_request: RequestFacts, candidates: readonly Candidate[]): Ranking {
 *     return candidates.map((candidate) => ({ candidate, reason: 'as listed' }));
 *   }
 * }
 */
export interface StrategyClass {
  /** The value of `--routing-logic` that selects it; unique. */
  readonly strategyName: string;
  /** Further values of `--routing-logic` that select it. */
  readonly aliases?: readonly string[];
  /**
   * The settings that an instance reads. A reload that changes one of them starts a new instance;
   * one that does not keeps the instance and what it has learned. Absent: none.
   */
  readonly reads?: readonly (keyof Settings)[];
  /** @throws {Error} one sentence for the operator when the settings cannot work */
  new (settings: Settings): RoutingStrategy;
}
