import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import { byUrl } from '../../core/fleet.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { RoutingStrategy } from '../routing-strategy.js';

/** Models whose last engine is remembered; of more, the one longest without a request is forgotten. */
const MAX_MODELS = 1_024;

/**
 * Each model's requests go round its engines in the order of their URLs, whatever other models do.
 * The next engine is the one after the engine that got the model's last request; a retry on another
 * engine does not count, so that one death does not shift the round.
 */
export class RoundRobinStrategy extends RoutingStrategy {
  static readonly strategyName = 'roundrobin';

  /** The engine that got a model's last request; the model used last stands last. */
  readonly #last = new Map<string, Engine>();

  override rank({ model }: RequestFacts, candidates: readonly Candidate[]): Ranking {
    const round = [...candidates].sort((a, b) => byUrl(a.engine, b.engine));
    const last = this.#last.get(model);
    const next = last ? round.findIndex(({ engine }) => byUrl(engine, last) > 0) : 0;
    const turn = Math.max(next, 0);
    return [...round.slice(turn), ...round.slice(0, turn)].map((candidate) => ({
      candidate,
      reason: 'in turn',
    }));
  }

  override observe(event: AttemptEvent): void {
    if (event.type !== 'dispatched' || event.attempt !== 1) return;
    const { model } = event.request;
    this.#last.delete(model);
    this.#last.set(model, event.engine);
    if (this.#last.size <= MAX_MODELS) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}
