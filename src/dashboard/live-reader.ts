import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { LoadedSettings } from '../config/load-settings.js';
import { settingsInForce } from '../config/settings-in-force.js';
import { SettingsStore } from '../config/settings-store.js';
import type { Settings } from '../config/settings.schema.js';
import { routerVersion } from '../config/version.js';
import type { Engine } from '../core/engine.js';
import type { HealthState } from '../core/health/health-state.js';
import {
  type DecisionLine,
  type EngineRow,
  type Flow,
  type LivePast,
  type LiveView,
  MOST_DECISIONS,
  MOST_ENGINES,
  MOST_FLOWS,
  type RouterFacts,
  rounded,
  SAMPLE_SECONDS,
  type Totals,
} from '../core/live/live-view.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { HealthService } from '../health/health.service.js';
import type { MetricFigures } from '../metrics/render-metrics.js';
import { WorkersReport } from '../operations/workers-report.js';
import { Schedule } from '../scheduling/schedule.js';
import { decisionLine } from './decision-line.js';
import { EngineRows, engineCard } from './engine-rows.js';
import { LiveHistory } from './live-history.js';
import { LiveSource } from './live-source.js';
import { RouterFigures } from './router-figures.js';

/** Those who ask within this time share one view, milliseconds. */
const SHARED_MS = 100;

/** States in the order in which engines are shown: what needs a look comes first. */
const URGENCY: readonly HealthState[] = [
  ...(['ejected', 'probing', 'suspect', 'asleep', 'drained', 'draining', 'ready', 'gone'] as const),
];

/**
 * Reads what the live page shows off the parts of the router. Nothing is read while nobody asks, but for one short sample
 * each five seconds.
 */
@Injectable()
export class LiveReader extends LiveSource implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #history: LiveHistory;
  readonly #schedule: Schedule;
  #shared: { readonly at: number; readonly view: Promise<LiveView> } | null = null;
  #settings: Settings | null = null;
  #settingsMark = 0;

  constructor(
    private readonly router: RouterFigures,
    private readonly fleet: FleetService,
    private readonly health: HealthService,
    private readonly dynamicConfig: DynamicConfigService,
    private readonly settings: SettingsStore,
    private readonly loaded: LoadedSettings,
    schedulers: SchedulerRegistry,
    @Optional() private readonly workers?: WorkersReport,
  ) {
    super();
    this.#history = new LiveHistory(fleet, health, dynamicConfig);
    this.#schedule = new Schedule(
      schedulers,
      'live page',
      () => void this.#history.sample(router, performance.now()),
    );
  }

  onApplicationBootstrap(): void {
    const { adminPort, dashboard } = this.settings.current;
    if (adminPort === null && !dashboard) return;
    this.#history.follow();
    this.#schedule.every(SAMPLE_SECONDS);
  }

  onApplicationShutdown(): void {
    this.#schedule.stop();
  }

  override view(): Promise<LiveView> {
    const now = performance.now();
    if (this.#shared === null || now - this.#shared.at > SHARED_MS) {
      this.#shared = { at: now, view: this.#view() };
    }
    return this.#shared.view;
  }

  override async past(): Promise<LivePast> {
    const path = this.loaded.dynamicFile?.path ?? null;
    return {
      samples: this.#history.samples.all,
      settings: settingsInForce(this.settings.current, this.dynamicConfig.origins, path),
    };
  }

  async #view(): Promise<LiveView> {
    const [figures, decisions] = await Promise.all([this.router.figures(), this.#decisions()]);
    const now = performance.now();
    const shown = this.#shown(figures, now);
    return {
      at: Math.round(Date.now()) / 1_000,
      router: this.#facts(),
      totals: this.#totals(figures, now),
      cards: shown.map(engineCard),
      rows: this.#rows(figures, shown, now),
      flows: this.#flows(figures, shown, now),
      sample: this.#history.samples.newest,
      occurrences: this.#history.occurrences.all,
      decisions,
      settingsMark: this.#mark(),
    };
  }

  /** Engines of the fleet, and those that have left and end their requests. */
  get #engines(): readonly Engine[] {
    return [...this.fleet.current.engines, ...this.health.leavers];
  }

  #shown({ figures }: MetricFigures, now: number): readonly Engine[] {
    const engines = this.#engines.map((engine) => ({
      engine,
      urgency: URGENCY.indexOf(this.health.state(engine.id, now)),
      running: figures.get(engine.url)?.running ?? 0,
    }));
    if (engines.length > MOST_ENGINES) engines.sort((a, b) => a.urgency - b.urgency || b.running - a.running);
    return engines.slice(0, MOST_ENGINES).map(({ engine }) => engine);
  }

  #rows(figures: MetricFigures, shown: readonly Engine[], now: number): readonly EngineRow[] {
    const rows = new EngineRows(figures);
    return shown.map((engine) => {
      const state = this.health.state(engine.id, now);
      const quiet = state === 'ready' || state === 'asleep' || state === 'drained';
      const reason = quiet ? null : this.health.cause(engine.id);
      return rows.row(engine, state, reason, this.#history.window.engine(engine.url, figures.lifetime));
    });
  }

  #flows({ lifetime }: MetricFigures, shown: readonly Engine[], now: number): readonly Flow[] {
    const seen = new Set<string>();
    const flows = shown.flatMap(({ id, url }) => {
      // Engines that follow each other at one address are counted together.
      if (seen.has(url)) return [];
      seen.add(url);
      return this.#history.window.flows(url, lifetime, now).map((flow) => ({ ...flow, engine: id }));
    });
    return flows.sort((a, b) => b.rate - a.rate).slice(0, MOST_FLOWS);
  }

  #totals({ figures, lifetime }: MetricFigures, now: number): Totals {
    const states: Partial<Record<HealthState, number>> = {};
    const engines = this.#engines;
    for (const { id } of engines) {
      const state = this.health.state(id, now);
      states[state] = (states[state] ?? 0) + 1;
    }
    let [inFlight, qps] = [0, 0];
    for (const { running, qps: own } of figures.values()) {
      inFlight += running;
      qps += own;
    }
    const { failed, pieces, ttft, itl } = this.#history.window.all(lifetime, now);
    return {
      ...{ engines: engines.length, states, inFlight, qps: rounded(qps) },
      ...{ failures: failed, pieces, ttft, itl },
    };
  }

  #facts(): RouterFacts {
    const { provider, state, reason, unknown } = this.fleet.status;
    const { enabled, appliedAt, lastError } = this.dynamicConfig.state;
    const { routingLogic, adminKey, allowExplain } = this.settings.current;
    return {
      version: routerVersion(),
      strategy: routingLogic,
      discovery: { provider, state, reason, unknown },
      workers: this.workers?.workers ?? null,
      dynamicFile: enabled
        ? { appliedAt: appliedAt === null ? null : appliedAt / 1_000, error: lastError?.message ?? null }
        : null,
      actions: adminKey !== null,
      explains: allowExplain,
    };
  }

  async #decisions(): Promise<readonly DecisionLine[]> {
    if (!this.settings.current.allowExplain) return [];
    return (await this.router.decisions(MOST_DECISIONS)).map(decisionLine);
  }

  #mark(): number {
    const { current } = this.settings;
    if (current !== this.#settings) {
      this.#settings = current;
      this.#settingsMark++;
    }
    return this.#settingsMark;
  }
}
