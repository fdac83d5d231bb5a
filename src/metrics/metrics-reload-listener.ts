import { Injectable } from '@nestjs/common';
import { ReloadListener, type ReloadOutcome } from '../dynamic-config/reload-listener.js';
import { RouterMetrics } from './router-metrics.js';

/** Counts what became of the dynamic file. */
@Injectable()
export class MetricsReloadListener extends ReloadListener {
  constructor(private readonly metrics: RouterMetrics) {
    super();
  }

  override onReload(outcome: ReloadOutcome): void {
    if (outcome !== 'unchanged') this.metrics.reloaded(outcome);
  }
}
