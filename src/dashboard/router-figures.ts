import type { DecisionRecord } from '../core/decision.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import type { LifetimeSeries } from '../stats/lifetime-series.js';

/** What the live page is made from that several workers have in parts. */
export abstract class RouterFigures {
  /** The figures of `/metrics`. */
  abstract figures(): Promise<MetricFigures>;

  /** What is known without asking anybody: all that was counted, and the requests in flight. */
  abstract counted(): { readonly lifetime: LifetimeSeries; readonly inFlight: number };

  /** What engines told of themselves last, by base URL. */
  abstract scraped(): MetricFigures['scraped'];

  /** The newest first. */
  abstract decisions(count: number): Promise<readonly DecisionRecord[]>;
}
