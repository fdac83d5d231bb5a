import type { AttemptEvent } from '../../src/core/attempt-event.js';
import type { Engine } from '../../src/core/engine.js';
import type { EngineStats } from '../../src/core/prometheus-text.js';
import type { Candidate, Ranking } from '../../src/core/ranking.js';
import type { RequestFacts } from '../../src/core/request-facts.js';
import { RoutingStrategy, type StrategyFigure } from '../../src/routing/routing-strategy.js';

/**
 * A strategy that ranks by URL with the terms of a cost, and remembers what it is told. The first engine by URL
 * has the cost 1.5, each further one 100 more.
 */
export class LearningStrategy extends RoutingStrategy {
  static readonly strategyName = 'learning';
  static readonly reads = ['sessionKey'] as const;
  /** The instance that was made last. */
  static newest: LearningStrategy;

  override readonly needsAnswer = true;
  override readonly needsPrompt = true;
  readonly events: AttemptEvent[] = [];
  readonly requests: RequestFacts[] = [];
  readonly stats: (readonly [url: string, stats: EngineStats | null])[] = [];
  engines: readonly Engine[] = [];

  constructor() {
    super();
    LearningStrategy.newest = this;
  }

  override rank(request: RequestFacts, candidates: readonly Candidate[]): Ranking {
    this.requests.push(request);
    // Read now: the body goes with the request's commit.
    request.prompt?.blocks();
    const order = [...candidates].sort((a, b) => (a.engine.url < b.engine.url ? -1 : 1));
    return order.map((candidate, place) => ({
      candidate,
      reason: `place ${place}`,
      terms: { uncached: 40, pending: 2.5, inFlight: place, slowness: 1, cost: 1.5 + 100 * place },
    }));
  }

  override observe(event: AttemptEvent): void {
    this.events.push(event);
  }

  override retain(engines: readonly Engine[]): void {
    this.engines = engines;
  }

  override heedStats(engine: Engine, stats: EngineStats | null): void {
    this.stats.push([engine.url, stats]);
  }

  override figures(): readonly StrategyFigure[] {
    const values = this.engines.map(({ url }) => ({ labels: { engine: url }, value: 7 }));
    return [{ name: 'learned_things', type: 'gauge', help: 'What was learned.', values }];
  }
}
