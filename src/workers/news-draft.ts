import { Injectable } from '@nestjs/common';
import type { Engine } from '../core/engine.js';
import type { HealthNews } from '../core/health/health-news.js';
import type { EngineSeries, ModelSeries } from '../stats/lifetime-series.js';
import { HealthMarks } from './health-marks.js';

/** What has changed in a worker since it told the primary last. Bounded by the engines and their models. */
@Injectable()
export class NewsDraft {
  /** Engines whose requests in flight have changed. */
  readonly engines = new Set<string>();
  /** Base URLs with new counts, and the models that have them. */
  readonly urls = new Set<string>();
  readonly models = new Set<ModelSeries>();
  /** Models that requests have named. */
  readonly incoming = new Set<string>();
  readonly marks = new HealthMarks();
  /** Engines that may stand still. */
  readonly suspects = new Set<string>();
  /** When engines that somebody doubts last made progress here, monotonic milliseconds. */
  readonly progress = new Map<string, number>();
  /** Counters of prom-client have changed. */
  counters = false;
  /** Told of each change. */
  changed: () => void = () => {};

  inFlight(engine: Engine): void {
    this.engines.add(engine.id);
    this.changed();
  }

  counted(url: string, model: ModelSeries): void {
    this.urls.add(url);
    this.models.add(model);
    this.changed();
  }

  mark(engine: Engine, news: HealthNews): void {
    this.urls.add(engine.url);
    this.marks.add(engine.id, news);
    this.changed();
  }

  suspect(engineId: string): void {
    this.suspects.add(engineId);
    this.changed();
  }

  progressed(engineId: string, at: number): void {
    this.progress.set(engineId, at);
    this.changed();
  }

  /** The parts of `series` that have changed; null when none has. */
  modelsOf(series: EngineSeries): ReadonlySet<ModelSeries> {
    return new Set([...series.models.values()].filter((model) => this.models.has(model)));
  }

  clear(): void {
    this.engines.clear();
    this.urls.clear();
    this.models.clear();
    this.incoming.clear();
    this.suspects.clear();
    this.progress.clear();
    this.counters = false;
  }
}
