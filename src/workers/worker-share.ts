import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FleetService } from '../discovery/fleet.service.js';
import { HealthService } from '../health/health.service.js';
import { processMetrics } from '../metrics/process-metrics.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { BodyMemory } from '../proxy/body-memory.js';
import { ExchangeServices } from '../proxy/exchange-services.js';
import { RequestLimit } from '../proxy/request-limit.js';
import { RoutingService } from '../routing/routing.service.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { shareOf } from '../stats/series-share.js';
import { turned } from './health-marks.js';
import { BATCH_MS, type Mark, type MetricJson, type WholeShare, type WorkerNews } from './messages.js';
import { NewsChannel } from './news-channel.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';
import type { HeardNews, StrategyNews } from './strategy-relay.js';
import type { OthersNews } from './worker-ledger.js';

/** Metrics of a process that are those of its host: the primary tells them once. */
const OF_HOST = /^router_/;

/** What this worker tells the primary, and what the other workers hold. */
@Injectable()
export class WorkerShare implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #channel: NewsChannel<WorkerNews>;
  /** Requests that the others have in flight, by engine, also of engines that have left and may come back. */
  readonly #others = new Map<string, number>();
  #bodiesTold = 0;

  constructor(
    private readonly link: PrimaryLink,
    private readonly draft: NewsDraft,
    private readonly fleet: FleetService,
    private readonly stats: RequestStatsService,
    private readonly series: LifetimeSeries,
    private readonly metrics: RouterMetrics,
    private readonly bodies: BodyMemory,
    private readonly services: ExchangeServices,
    private readonly routing: RoutingService,
    private readonly health: HealthService,
    private readonly requests: RequestLimit,
  ) {
    const send = (news: WorkerNews, sent: () => void): void => this.link.tell({ type: 'news', news }, sent);
    this.#channel = new NewsChannel(BATCH_MS, () => this.#gather(), send);
  }

  onApplicationBootstrap(): void {
    this.draft.changed = () => this.#channel.touch();
    this.fleet.onChange(() => this.#others.forEach((count, engineId) => this.#show(engineId, count)));
    this.health.onNews = (engine, news) => this.draft.mark(engine, news);
    this.#heedMarks(this.link.beginning.news.marks ?? []);
    this.link.take('marks', (marks) => this.#heedMarks(marks));
    this.link.take('others', (others) => this.#othersHold(others));
    this.link.take('strategy', (heard) => this.#heedStrategies(heard));
    this.link.on('collect', ({ id }) => void this.#share(id));
  }

  onApplicationShutdown(): void {
    this.#channel.flush();
    this.#channel.close();
  }

  #othersHold({ inFlight, bodies, budget }: OthersNews): void {
    for (const [engineId, count] of inFlight) {
      if (count === 0) this.#others.delete(engineId);
      else this.#others.set(engineId, count);
      this.#show(engineId, count);
    }
    this.bodies.heldByOthers = bodies;
    if (inFlight.length > 0) this.requests.ofOthers = this.#sumOfOthers();
    this.services.budget.add(budget, performance.now());
  }

  #sumOfOthers(): number {
    let sum = 0;
    for (const count of this.#others.values()) sum += count;
    return sum;
  }

  #show(engineId: string, count: number): void {
    const engine = this.fleet.current.byId(engineId);
    if (engine) this.stats.setOthersInFlight(engine, count);
  }

  #gather(): WorkerNews | null {
    const { draft } = this;
    const now = performance.now();
    const { held } = this.bodies;
    const strategy = this.#strategyNews();
    const told = draft.engines.size + draft.urls.size + draft.incoming.size + draft.marks.size;
    const noted = told + draft.suspects.size + draft.progress.size > 0;
    if (draft.counters) void this.#tellCounters();
    if (!noted && strategy === null && held === this.#bodiesTold) {
      draft.clear();
      return null;
    }
    this.#bodiesTold = held;
    const series = [...draft.urls].flatMap((url) => {
      const engine = this.series.byUrl.get(url);
      return engine ? [[url, shareOf(engine, draft.modelsOf(engine))] as const] : [];
    });
    const news: WorkerNews = {
      inFlight: [...draft.engines].map((id) => [id, this.stats.ownInFlight(id)] as const),
      bodies: held,
      budget: this.services.budget.takeNews(),
      marks: draft.marks.take(now),
      suspects: [...draft.suspects],
      progress: [...draft.progress].map(([id, at]) => [id, now - at] as const),
      series: new Map(series),
      incoming: new Map([...draft.incoming].map((model) => [model, this.metrics.incoming.get(model) ?? 0])),
      strategy,
    };
    draft.clear();
    return news;
  }

  #strategyNews(): StrategyNews | null {
    const news = this.routing.takeNews();
    return news === null ? null : { key: this.routing.shareKey, news };
  }

  /** News of a strategy that is made in another way, as while a reload goes round, are of no use. */
  #heedStrategies(heard: readonly HeardNews[]): void {
    const { shareKey } = this.routing;
    for (const { from, told } of heard) {
      if (told === null) this.routing.forgetNews(from);
      else if (told.key === shareKey) this.routing.heedNews(from, told.news);
    }
  }

  #heedMarks(marks: readonly Mark[]): void {
    const now = performance.now();
    for (const { engineId, news } of marks) this.health.learn(engineId, turned(news, now), now);
  }

  async #tellCounters(): Promise<void> {
    this.link.tell({ type: 'counters', own: await jsonOf(this.metrics.registry) });
  }

  async #share(id: number): Promise<void> {
    const [own, process] = await Promise.all([
      jsonOf(this.metrics.registry),
      jsonOf(processMetrics().registry),
    ]);
    const share: WholeShare = {
      figures: this.stats.sumsByEngine(),
      series: this.series.share(),
      incoming: this.metrics.incoming,
      own,
      process: process.filter(({ name }) => !OF_HOST.test(name)),
      strategy: this.routing.figures(),
    };
    this.link.tell({ type: 'share', id, share });
  }
}

async function jsonOf(registry: { getMetricsAsJSON(): Promise<unknown> }): Promise<readonly MetricJson[]> {
  return (await registry.getMetricsAsJSON()) as readonly MetricJson[];
}
