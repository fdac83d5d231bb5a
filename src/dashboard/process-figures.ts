import { Injectable } from '@nestjs/common';
import type { DecisionRecord } from '../core/decision.js';
import { Decisions } from '../decisions/decisions.service.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { RouterFigures } from './router-figures.js';

/** Those of a router of one process. */
@Injectable()
export class ProcessFigures extends RouterFigures {
  constructor(
    private readonly metrics: RouterMetrics,
    private readonly stats: RequestStatsService,
    private readonly lifetime: LifetimeSeries,
    private readonly last: Decisions,
  ) {
    super();
  }

  override async figures(): Promise<MetricFigures> {
    return this.metrics.figures();
  }

  override counted(): { readonly lifetime: LifetimeSeries; readonly inFlight: number } {
    return { lifetime: this.lifetime, inFlight: this.stats.allInFlight };
  }

  override scraped(): MetricFigures['scraped'] {
    return this.metrics.scraped();
  }

  override async decisions(count: number): Promise<readonly DecisionRecord[]> {
    return this.last.latest(count);
  }
}
