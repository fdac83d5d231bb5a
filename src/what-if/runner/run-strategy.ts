import type { StrategyClass } from '../../routing/routing-strategy.js';
import type { EngineModelOptions } from '../../simulator/model/engine-model.js';
import type { EngineProfile } from '../../simulator/model/engine-profile.js';
import { seededRandom } from '../../simulator/virtual/seeded-random.js';
import { simulate, type VirtualRun, type VirtualSetup } from '../../simulator/virtual/simulate.js';
import type { EngineView } from '../../simulator/virtual/virtual-engine.js';
import { defaultSettings } from './default-settings.js';
import { RouterGroup } from './router-group.js';
import { simulatedFleet, statsOf } from './simulated-fleet.js';
import { VirtualRouter } from './virtual-router.js';

/** Longest time until one process knows what another one does, seconds: two batches of the real router. */
const EXCHANGE_SECONDS = 0.04;

export interface StrategyRun {
  readonly strategy: StrategyClass;
  readonly engines: readonly EngineProfile[];
  readonly model?: EngineModelOptions;
  readonly arrivals: VirtualSetup['arrivals'];
  readonly follow?: VirtualSetup['follow'];
  /** Seconds after which it is over. */
  readonly until: number;
  /** Chance of the strategy and of the deal among processes; not of the arrivals. */
  readonly seed: number;
  /** Processes of the router, 1 by default. */
  readonly routers?: number;
  /** Whether processes tell each other what they know; true by default. */
  readonly share?: boolean;
  /** Seconds between two looks at the engines' metrics; null: never. 5 by default. */
  readonly scrapeSeconds?: number | null;
}

/** Lets a strategy that serves in the router choose the engines of a simulation. */
export function runStrategy(run: StrategyRun): VirtualRun {
  const { strategy: Strategy, seed, scrapeSeconds = 5 } = run;
  const engines = simulatedFleet(run.engines);
  const random = seededRandom(seed ^ 0x3c6ef372);
  const settings = defaultSettings(Strategy.strategyName);
  const routers = Array.from(
    { length: run.routers ?? 1 },
    () => new VirtualRouter(new Strategy(settings), engines, random),
  );
  const group = new RouterGroup(routers, seededRandom(seed ^ 0x1f83d9ab), run.share);
  const scrape = {
    seconds: scrapeSeconds ?? Infinity,
    run: (now: number, views: readonly EngineView[]) => {
      const stats = views.map(statsOf);
      for (const router of routers) router.heedStats(stats, now * 1e3);
    },
  };
  const exchange = {
    seconds: routers.length > 1 ? EXCHANGE_SECONDS : Infinity,
    run: () => group.exchange(),
  };
  return simulate({
    engines: run.engines,
    ...(run.model ? { model: run.model } : {}),
    arrivals: run.arrivals,
    until: run.until,
    ticks: [scrape, exchange],
    choose: (request) => group.deal(request).choose(request, request.arrival * 1e3),
    firstToken: (request, _engine, now) => group.ownerOf(request).firstToken(request, now * 1e3),
    follow: (result, now) => {
      group.ownerOf(result.request).finished(result, now * 1e3);
      group.forget(result.request);
      return run.follow?.(result, now) ?? null;
    },
  });
}
