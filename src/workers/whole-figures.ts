import { Injectable } from '@nestjs/common';
import type { DecisionRecord } from '../core/decision.js';
import { RouterFigures } from '../dashboard/router-figures.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import type { LifetimeSeries } from '../stats/lifetime-series.js';
import { PrimaryState } from './primary-state.js';
import { WholeDecisions } from './whole-decisions.js';
import { WholeMetrics } from './whole-metrics.js';

/** What the live page is made from, of all workers together; see `RouterFigures`. */
@Injectable()
export class WholeFigures extends RouterFigures {
  constructor(
    private readonly metrics: WholeMetrics,
    private readonly state: PrimaryState,
    private readonly last: WholeDecisions,
  ) {
    super();
  }

  override async figures(): Promise<MetricFigures> {
    await this.metrics.collect();
    return this.metrics.figures();
  }

  override counted(): { readonly lifetime: LifetimeSeries; readonly inFlight: number } {
    return { lifetime: this.metrics.lifetime(), inFlight: this.state.ledger.allInFlight };
  }

  override scraped(): MetricFigures['scraped'] {
    return this.metrics.scraped();
  }

  override decisions(count: number): Promise<readonly DecisionRecord[]> {
    return this.last.latest(count);
  }
}
