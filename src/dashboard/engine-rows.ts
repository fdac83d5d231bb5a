import type { Engine } from '../core/engine.js';
import type { HealthState } from '../core/health/health-state.js';
import { type EngineCard, type EngineRow, MOST_NAMES, rounded } from '../core/live/live-view.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import type { Counted } from './series-window.js';

const known = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : rounded(value);

/** Names of engines and models come from outside: longer ones are cut. */
const LONGEST_NAME = 100;
const short = (name: string): string =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;

export function engineCard({ id, url, models }: Engine): EngineCard {
  const named = (adapters: boolean): string[] =>
    models.flatMap((model) => ((model.parent !== null) === adapters ? short(model.id) : []));
  const [bases, adapters] = [named(false), named(true)];
  const shown = Math.min(bases.length, MOST_NAMES) + Math.min(adapters.length, MOST_NAMES);
  return {
    ...{ id, url, models: bases.slice(0, MOST_NAMES), adapters: adapters.slice(0, MOST_NAMES) },
    moreNames: models.length - shown,
  };
}

/** A gauge of the strategy that has a value for each engine, by base URL. */
function gaugeOf({ strategy }: MetricFigures, name: string): ReadonlyMap<string, number> {
  const values = strategy.find((figure) => figure.name === name)?.values ?? [];
  return new Map(values.map(({ labels, value }) => [labels['engine'] ?? '', value]));
}

/** Makes the rows of engines from what `/metrics` shows. */
export class EngineRows {
  readonly #figures: MetricFigures;
  readonly #pending: ReadonlyMap<string, number>;
  readonly #slowness: ReadonlyMap<string, number>;

  constructor(figures: MetricFigures) {
    this.#figures = figures;
    this.#pending = gaugeOf(figures, 'pending_prompt_tokens');
    this.#slowness = gaugeOf(figures, 'engine_slowness');
  }

  row({ id, url }: Engine, state: HealthState, reason: string | null, { ttft, itl }: Counted): EngineRow {
    const figures = this.#figures.figures.get(url);
    const told = this.#figures.scraped.get(url);
    return {
      ...{ id, state, reason, ttft, itl },
      prefill: figures?.prefill ?? 0,
      decoding: figures?.decoding ?? 0,
      waiting: known(told?.waiting),
      pending: known(this.#pending.get(url)),
      qps: known(figures?.qps) ?? 0,
      hitRate: known(told?.prefixCacheHitRate),
      kvUse: known(told?.kvCacheUsage),
      slowness: known(this.#slowness.get(url)),
    };
  }
}
