import type { Settings } from '../../config/settings.schema.js';
import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy } from '../../routing/routing-strategy.js';
import { PrefixAwareStrategy } from '../../routing/strategies/prefix-aware.strategy.js';
import { SLOWNESS_LABEL } from '../runner/simulated-fleet.js';

/** `prefixaware` that is told how slow each engine is instead of learning it: what learning can reach at most. */
export class KnownSlownessPolicy extends RoutingStrategy {
  static readonly strategyName = 'prefixaware-oracle';
  override readonly ranksBySignals = true;
  override readonly needsAnswer = true;
  readonly #inner: PrefixAwareStrategy;

  constructor(settings: Settings) {
    super();
    this.#inner = new PrefixAwareStrategy(settings);
  }

  override rank(request: RequestFacts, candidates: readonly Candidate[], context: RankContext): Ranking {
    const known = this.#inner.rank(request, candidates, context).map((ranked) => {
      const { slowness = 1, cost = 0 } = ranked.terms ?? {};
      const told = Number(ranked.candidate.engine.labels[SLOWNESS_LABEL] ?? 1);
      return { ranked, cost: (cost / slowness) * told };
    });
    return known.sort((a, b) => a.cost - b.cost).map(({ ranked }) => ranked);
  }

  override observe(event: AttemptEvent): void {
    this.#inner.observe(event);
  }

  override retain(engines: readonly Engine[]): void {
    this.#inner.retain(engines);
  }

  override heedStats(engine: Engine, stats: EngineStats | null, at: number): void {
    this.#inner.heedStats(engine, stats, at);
  }
}
