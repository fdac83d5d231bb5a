import { Injectable } from '@nestjs/common';
import type { AttemptEvent } from '../core/attempt-event.js';
import type { RenderedMetrics } from '../metrics/render-metrics.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import { OTHER_MODELS, UNKNOWN_MODEL } from '../stats/model-label.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';

/** Counts what this worker does, notes what has changed for the primary, and shows what all workers have counted. */
@Injectable()
export class WorkerMetrics extends RouterMetrics {
  constructor(
    stats: RequestStatsService,
    scraper: EngineStatsScraper,
    private readonly lifetime: LifetimeSeries,
    private readonly draft: NewsDraft,
    private readonly link: PrimaryLink,
  ) {
    super(stats, scraper, lifetime);
  }

  /** The primary has the gauges of the whole. */
  override bindGauges(): void {}

  /** The primary counts reloads. */
  override reloaded(): void {}

  override arrived(model: string | null): void {
    super.arrived(model);
    const named = model ?? UNKNOWN_MODEL;
    this.draft.incoming.add(this.incoming.has(named) ? named : OTHER_MODELS);
    this.draft.changed();
  }

  override observe(event: AttemptEvent): void {
    super.observe(event);
    const { type, engine, request } = event;
    if (type !== 'firstToken') this.draft.inFlight(engine);
    if (type !== 'dispatched') {
      this.draft.counted(engine.url, this.lifetime.ofModel(engine, request.model));
    }
  }

  override retried(cause: string): void {
    super.retried(cause);
    this.#counted();
  }

  override staleResend(): void {
    super.staleResend();
    this.#counted();
  }

  override clientLeft(): void {
    super.clientLeft();
    this.#counted();
  }

  override rejected(code: string): void {
    super.rejected(code);
    this.#counted();
  }

  override shed(model: string, reason: string): void {
    super.shed(model, reason);
    this.#counted();
  }

  override released(model: string, seconds: number): void {
    super.released(model, seconds);
    this.#counted();
  }

  override connectionRefused(): void {
    super.connectionRefused();
    this.#counted();
  }

  override async render(): Promise<RenderedMetrics> {
    return this.link.metrics();
  }

  #counted(): void {
    this.draft.counters = true;
    this.draft.changed();
  }
}
