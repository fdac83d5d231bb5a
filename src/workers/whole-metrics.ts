import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EngineStats } from '../core/prometheus-text.js';
import { FleetService } from '../discovery/fleet.service.js';
import { HealthService } from '../health/health.service.js';
import { statesByUrl } from '../metrics/engine-states.js';
import { processMetrics } from '../metrics/process-metrics.js';
import { type MetricFigures, type RenderedMetrics, renderMetrics } from '../metrics/render-metrics.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import type { WholeShare } from './messages.js';
import { WorkerPool } from './worker-pool.js';
import { WorkerShares } from './worker-shares.js';

/** The longest wait for what a worker has counted, milliseconds; then what it told last stands. */
const COLLECT_MS = 500;

/** `/metrics` of all workers together. */
@Injectable()
export class WholeMetrics {
  readonly shares = new WorkerShares();
  #last = 0;
  /** Those who ask while one collection is under way share it. */
  #collecting: { readonly id: number; readonly waitsFor: Set<number>; readonly done: () => void } | null =
    null;
  #collected: Promise<void> | null = null;

  constructor(
    private readonly pool: WorkerPool,
    private readonly fleet: FleetService,
    private readonly scraper: EngineStatsScraper,
    private readonly health: HealthService,
    private readonly series: LifetimeSeries,
    private readonly metrics: RouterMetrics,
  ) {}

  /** Has every worker tell what it has counted, as far as it answers in time. */
  collect(): Promise<void> {
    this.#collected ??= this.#collect().finally(() => (this.#collected = null));
    return this.#collected;
  }

  /** A worker tells. */
  told(worker: number, id: number, share: WholeShare): void {
    this.shares.replace(worker, share);
    if (this.#collecting?.id === id) this.#without(worker);
  }

  /** A worker is gone. */
  async left(worker: number): Promise<void> {
    this.#without(worker);
    await this.shares.leave(worker);
  }

  /** All that `/metrics` tells of engines, as all workers have told last. */
  figures(): MetricFigures {
    const { engines } = this.fleet.current;
    const urls = new Set(engines.map(({ url }) => url));
    const now = performance.now();
    const figures = this.shares.figuresByUrl(urls);
    return {
      figures,
      scraped: this.scraped(),
      states: statesByUrl(engines, figures, ({ id }) => this.health.state(id, now)),
      incoming: this.shares.incoming(),
      lifetime: this.lifetime(),
      strategy: this.shares.strategyFigures(urls),
    };
  }

  /** What engines told of themselves last, by base URL. */
  scraped(): ReadonlyMap<string, EngineStats> {
    const scraped = new Map<string, EngineStats>();
    for (const { id, url } of this.fleet.current.engines) {
      const stats = this.scraper.statsOf(id);
      if (stats) scraped.set(url, stats);
    }
    return scraped;
  }

  /** What all have counted, as they told last. */
  lifetime(): LifetimeSeries {
    return this.shares.lifetime(this.fleet.current.engines, this.series);
  }

  /** The answer to `GET /metrics`. */
  async render(): Promise<RenderedMetrics> {
    await this.collect();
    const own = await this.metrics.registry.getMetricsAsJSON();
    const process = await processMetrics().registry.getMetricsAsJSON();
    const [whole, each] = [this.shares.own(own), this.shares.processes(process)];
    return renderMetrics(this.figures(), whole, each);
  }

  async #collect(): Promise<void> {
    const waitsFor = new Set(this.pool.serving);
    if (waitsFor.size === 0) return;
    const id = ++this.#last;
    const late = new AbortController();
    const all = new Promise<void>((done) => (this.#collecting = { id, waitsFor, done }));
    this.pool.broadcast({ type: 'collect', id });
    await Promise.race([
      all,
      pause(COLLECT_MS, undefined, { signal: late.signal, ref: false }).catch(() => {}),
    ]);
    late.abort();
    this.#collecting = null;
  }

  #without(worker: number): void {
    const collecting = this.#collecting;
    collecting?.waitsFor.delete(worker);
    if (collecting?.waitsFor.size === 0) collecting.done();
  }
}
