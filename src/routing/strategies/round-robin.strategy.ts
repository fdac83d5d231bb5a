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
    const round = inOrder(candidates)
      ? candidates
      : [...candidates].sort((a, b) => byUrl(a.engine, b.engine));
    const last = this.#last.get(model);
    const next = last ? round.findIndex(({ engine }) => byUrl(engine, last) > 0) : 0;
    const turn = Math.max(next, 0);
    return round.map((_, place) => ({
      candidate: round[(turn + place) % round.length]!,
      reason: 'in turn',
    }));
  }

  override observe(event: AttemptEvent): void {
    if (event.type !== 'dispatched' || event.attempt !== 1) return;
    const { model } = event.request;
    // With few models their order is of no use, and keeping it costs more than all the rest.
    if (this.#last.size >= MAX_MODELS) this.#last.delete(model);
    this.#last.set(model, event.engine);
    if (this.#last.size <= MAX_MODELS) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}

/** Whether the candidates stand in the order of their URLs, as they mostly come. */
function inOrder(candidates: readonly Candidate[]): boolean {
  for (let i = 1; i < candidates.length; i++) {
    if (byUrl(candidates[i - 1]!.engine, candidates[i]!.engine) > 0) return false;
  }
  return true;
}
