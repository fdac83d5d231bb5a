import type { OccurrenceKind, Sample } from '../core/live/live-view.js';
import { rounded } from '../core/live/live-view.js';
import { Occurrences } from '../core/live/occurrences.js';
import { SampleRing } from '../core/live/sample-ring.js';
import type { Fleet } from '../core/fleet.js';
import type { FleetService } from '../discovery/fleet.service.js';
import type { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import type { HealthService } from '../health/health.service.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import type { RouterFigures } from './router-figures.js';
import { SeriesWindow } from './series-window.js';

/** Engines that are named at one change of the fleet; of the others their number is told. */
const MOST_NAMED = 10;

/** What the live page knows of the past: samples, occurrences, and the counters of the last minute. */
export class LiveHistory {
  readonly samples = new SampleRing();
  readonly occurrences = new Occurrences();
  readonly window = new SeriesWindow(performance.now());
  #caches = { queries: 0, hits: 0 };
  #hitRate: number | null = null;

  constructor(
    private readonly fleet: FleetService,
    private readonly health: HealthService,
    private readonly dynamicConfig: DynamicConfigService,
  ) {}

  /** Begins to note what happens. */
  follow(): void {
    this.health.onTurn(({ url }, turn) =>
      this.#note(turn.what, url, turn.what === 'ejected' ? turn.cause : null),
    );
    this.dynamicConfig.onTurn = (outcome) =>
      outcome === 'applied'
        ? this.#note('reloaded', null, null)
        : this.#note('rejected', null, this.dynamicConfig.state.lastError?.message ?? null);
    this.fleet.onChange((next, previous) => this.#fleetChanged(next, previous));
  }

  /** Takes a sample. */
  async sample(router: RouterFigures, now: number): Promise<void> {
    const { lifetime, inFlight } = router.counted();
    const { seconds, ended, failed, pieces, ttft, itl } = await this.window.step(lifetime, now);
    const sample: Sample = {
      at: Math.round(Date.now() / 1_000),
      requests: rounded(ended / seconds),
      failures: rounded(failed / seconds),
      pieces: rounded(pieces / seconds),
      inFlight,
      ttft50: ttft.p50,
      ttft99: ttft.p99,
      itl50: itl.p50,
      itl99: itl.p99,
      ...this.#ofCaches(router.scraped()),
    };
    this.samples.add(sample);
  }

  /** Mean use of the caches now, and hits of what was looked up between the last two scrapes that tell of some. */
  #ofCaches(scraped: MetricFigures['scraped']): Pick<Sample, 'hitRate' | 'kvUse'> {
    let [queries, hits, use, users] = [0, 0, 0, 0];
    for (const { prefixCacheQueries, prefixCacheHits, kvCacheUsage } of scraped.values()) {
      queries += prefixCacheQueries ?? 0;
      hits += prefixCacheHits ?? 0;
      use += kvCacheUsage ?? 0;
      if (kvCacheUsage !== null) users++;
    }
    const looked = queries - this.#caches.queries;
    const found = hits - this.#caches.hits;
    if (looked < 0 || found < 0 || scraped.size === 0) this.#hitRate = null;
    else if (looked > 0) this.#hitRate = rounded(Math.min(1, found / looked));
    this.#caches = { queries, hits };
    return { hitRate: this.#hitRate, kvUse: users === 0 ? null : rounded(use / users) };
  }

  #fleetChanged(next: Fleet, previous: Fleet): void {
    const joined = next.engines.filter(({ id }) => !previous.byId(id));
    const left = previous.engines.filter(({ id }) => !next.byId(id));
    for (const [kind, engines] of [['joined', joined] as const, ['left', left] as const]) {
      for (const { url } of engines.slice(0, MOST_NAMED)) this.#note(kind, url, null);
      const more = engines.length - MOST_NAMED;
      if (more > 0) this.#note(kind, null, `${more} more engines`);
    }
  }

  #note(kind: OccurrenceKind, engine: string | null, detail: string | null): void {
    this.occurrences.add({ at: Math.round(Date.now()) / 1_000, kind, engine, detail });
  }
}
