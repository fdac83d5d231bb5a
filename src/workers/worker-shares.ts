import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Engine } from '../core/engine.js';
import { addSums, figuresFrom, type FigureSums, type RequestFigures } from '../stats/request-figures.js';
import { joinedFigures, type StrategyFigure } from '../core/strategy-figure.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import { addCounts, type EngineShare, renewed, type SeriesShare } from '../stats/series-share.js';
import type { MetricJson, WholeShare, WorkerNews } from './messages.js';

interface Share {
  series: Map<string, EngineShare>;
  incoming: Map<string, number>;
  own: readonly MetricJson[];
  process: readonly MetricJson[];
  figures: WholeShare['figures'];
  strategy: readonly StrategyFigure[];
}

const EMPTY = (): Share => ({
  series: new Map(),
  incoming: new Map(),
  own: [],
  process: [],
  figures: new Map(),
  strategy: [],
});

/**
 * What each worker has counted, as it told last, and what those counted that are gone: counters only go
 * up. Bounded by the workers and the bounds of what one process counts.
 */
export class WorkerShares {
  readonly #shares = new Map<number, Share>();
  readonly #gone: {
    lifetime: LifetimeSeries;
    incoming: Map<string, number>;
    own: readonly MetricJson[];
    /** Counters of the strategy. */
    strategy: readonly StrategyFigure[];
  } = {
    lifetime: new LifetimeSeries(),
    incoming: new Map(),
    own: [],
    strategy: [],
  };

  join(worker: number): void {
    this.#shares.set(worker, EMPTY());
  }

  /** What has changed since the worker told last. */
  enter(worker: number, { series, incoming }: Pick<WorkerNews, 'series' | 'incoming'>): void {
    const share = this.#shares.get(worker);
    if (!share) return;
    for (const [url, engine] of series) share.series.set(url, renewed(share.series.get(url), engine));
    for (const [model, count] of incoming) share.incoming.set(model, count);
  }

  /** The counters of prom-client have changed. */
  enterOwn(worker: number, own: readonly MetricJson[]): void {
    const share = this.#shares.get(worker);
    if (share) share.own = own;
  }

  /** All that the worker has counted. */
  replace(worker: number, told: WholeShare): void {
    if (!this.#shares.has(worker)) return;
    const { series, incoming } = told;
    this.#shares.set(worker, { ...told, series: new Map(series), incoming: new Map(incoming) });
  }

  /** A worker is gone: what it had in flight is gone too, what it counted stays. */
  async leave(worker: number): Promise<void> {
    const share = this.#shares.get(worker);
    if (!share) return;
    this.#shares.delete(worker);
    for (const [url, engine] of share.series) this.#gone.lifetime.add(url, engine);
    addCounts(this.#gone.incoming, share.incoming);
    const counters = share.own.filter(({ type }) => type === 'counter' || type === 'histogram');
    const both = AggregatorRegistry.aggregate([this.#gone.own, counters]);
    const counted = share.strategy.filter(({ type }) => type === 'counter');
    this.#gone.strategy = joinedFigures([this.#gone.strategy, counted]);
    this.#gone.own = await both.getMetricsAsJSON();
  }

  /**
   * The counters of all workers together, of these engines and of those that still have requests; the others,
   * and models that the engines have ceased to serve, are forgotten, as in one process.
   * @param primary what the primary has counted itself
   */
  lifetime(engines: readonly Engine[], primary: LifetimeSeries): LifetimeSeries {
    const kept = new Set(engines.map(({ url }) => url));
    for (const { figures } of this.#shares.values()) for (const { url } of figures.values()) kept.add(url);
    this.#gone.lifetime.retain(kept);
    this.#gone.lifetime.retainModels(engines);
    const whole = new LifetimeSeries();
    const add = (series: SeriesShare): void => {
      for (const [url, engine] of series) if (kept.has(url)) whole.add(url, engine);
    };
    add(primary.share());
    add(this.#gone.lifetime.share());
    for (const { series } of this.#shares.values()) add(series);
    return whole;
  }

  /** Requests received, by model. */
  incoming(): ReadonlyMap<string, number> {
    const whole = new Map(this.#gone.incoming);
    for (const { incoming } of this.#shares.values()) addCounts(whole, incoming);
    return whole;
  }

  /** Figures by base URL; has each of `urls`. */
  figuresByUrl(urls: ReadonlySet<string>): ReadonlyMap<string, RequestFigures> {
    const sums = new Map<string, FigureSums[]>([...urls].map((url) => [url, []]));
    for (const { figures } of this.#shares.values()) {
      for (const { url, sums: part } of figures.values()) sums.set(url, [...(sums.get(url) ?? []), part]);
    }
    return new Map([...sums].map(([url, parts]) => [url, figuresFrom(addSums(parts))]));
  }

  /**
   * What the strategy shows, see `RoutingStrategy.figures`. Counters of workers that are gone stay with the
   * engines that they are of, and with the strategy in force.
   */
  strategyFigures(urls: ReadonlySet<string>): readonly StrategyFigure[] {
    // The worker that joined first comes first: a successor takes its place at the end.
    const serving = joinedFigures([...this.#shares.values()].map(({ strategy }) => strategy));
    const shown = new Set(serving.map(({ name }) => name));
    this.#gone.strategy = this.#gone.strategy
      .filter(({ name }) => shown.has(name))
      .map((figure) => ({
        ...figure,
        values: figure.values.filter(({ labels: { engine } }) => engine === undefined || urls.has(engine)),
      }));
    return joinedFigures([serving, this.#gone.strategy]);
  }

  /** Figures of one engine; null before anything was sent to it. */
  figuresOf(engineId: string): RequestFigures | null {
    const parts = [...this.#shares.values()].flatMap(({ figures }) => figures.get(engineId)?.sums ?? []);
    return parts.length === 0 ? null : figuresFrom(addSums(parts));
  }

  /** prom-client's metrics of the router as a whole. */
  own(primary: readonly MetricJson[]): Registry {
    const all = [primary, this.#gone.own, ...[...this.#shares.values()].map(({ own }) => own)];
    return AggregatorRegistry.aggregate(all) as Registry;
  }

  /** Those of each process, told apart by the label `worker`. */
  processes(primary: readonly MetricJson[]): Registry {
    const all = [labelled(primary, 'primary')];
    for (const [worker, { process }] of this.#shares) all.push(labelled(process, String(worker)));
    return AggregatorRegistry.aggregate(all) as Registry;
  }
}

/** Each series is of one process, so nothing is added up: prom-client's rule to leave some out does not apply. */
function labelled(metrics: readonly MetricJson[], worker: string): readonly MetricJson[] {
  return metrics.map((metric) => ({
    ...metric,
    aggregator: 'first',
    values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
  }));
}
