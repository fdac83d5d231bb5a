import type { AttemptCause } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import type { Candidate, Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { backoff } from '../core/sole-engine-backoff.js';
import type { ExchangeServices } from './exchange-services.js';

const NONE: ReadonlySet<string> = new Set();

/** Which engines that are ejected are tried: none, those that tell at once if they still fail, or whichever is least bad. */
export type LastResort = 'none' | 'fails_at_once' | 'any';

/** The way of one request through the engines of its model: which it has met, and which is next. */
export class RankingWalk {
  readonly #tried = new Set<string>();
  #waits = 0;
  #ranking: Ranking;
  /** The ranking that the place found last is of. */
  #foundIn: Ranking;

  constructor(
    private readonly facts: RequestFacts,
    ranking: Ranking,
    private readonly services: ExchangeServices,
  ) {
    this.#ranking = this.#foundIn = ranking;
  }

  /** What `next`, `again` or the first place was chosen from. */
  get foundIn(): Ranking {
    return this.#foundIn;
  }

  /** Where it stands in what it was chosen from, from 1. */
  placeOf(ranked: Ranked): number {
    return this.#foundIn.indexOf(ranked) + 1;
  }

  /** The request goes to this engine. */
  take(engineId: string): void {
    this.#tried.add(engineId);
  }

  /** The best engine to try next. @param last which of those that are ejected, when no others are left */
  next(now: number, last: LastResort): Ranked | undefined {
    const { routing, candidates } = this.services;
    const left = this.#ranking.filter(
      ({ candidate: { engine } }) => !this.#tried.has(engine.id) && candidates.eligible(engine, now),
    );
    if (left.length > 1 && routing.ranksBySignals) {
      const again = left.map(({ candidate }) => candidate);
      this.#ranking = this.#foundIn = routing.rank(this.facts, again);
      return this.#ranking[0];
    }
    if (left.length > 0) {
      this.#foundIn = left;
      return left[0];
    }
    // Engines in a slow start may have had no turn in the ranking, and others have come since.
    const rest = candidates.untried(this.facts.model, this.#tried, now);
    if (rest.length > 0 || last === 'none') return this.#rank(rest);
    return this.#rank(candidates.lastResort(this.facts.model, this.#tried, last === 'fails_at_once'));
  }

  /** How long to wait before `again`, milliseconds; null: another engine serves the model, or it has been long enough. */
  backoff(failed: Engine, cause: AttemptCause, chance: number): number | null {
    if (!this.services.candidates.isSole(failed, this.facts.model)) return null;
    const wait = backoff(cause, this.#waits, chance);
    if (wait !== null) this.#waits++;
    return wait;
  }

  /** The best of all engines of the model, those that were tried included. */
  again(): Ranked | undefined {
    return this.#rank(this.services.candidates.lastResort(this.facts.model, NONE, false));
  }

  #rank(candidates: readonly Candidate[]): Ranked | undefined {
    this.#foundIn = candidates.length > 0 ? this.services.routing.rank(this.facts, candidates) : [];
    return this.#foundIn[0];
  }
}
