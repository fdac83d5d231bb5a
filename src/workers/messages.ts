import type { LoadedSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.schema.js';
import type { DecisionRecord } from '../core/decision.js';
import type { Engine } from '../core/engine.js';
import type { RouterError } from '../core/errors.js';
import type { HealthNews } from '../core/health/health-news.js';
import type { ProgressReading } from '../core/engine-progress.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { Hash64 } from '../core/hash.js';
import type { BudgetNews } from '../core/retry-budget.js';
import type { StrategyFigure } from '../core/strategy-figure.js';
import type { FleetStatus } from '../discovery/fleet.service.js';
import type { DynamicConfigState } from '../dynamic-config/dynamic-config.service.js';
import type { RenderedMetrics } from '../metrics/render-metrics.js';
import type { WorkerCounts } from '../operations/workers-report.js';
import type { FigureSums } from '../stats/request-figures.js';
import type { SeriesShare } from '../stats/series-share.js';
import type { HeardNews, StrategyNews } from './strategy-relay.js';
import type { OthersNews } from './worker-ledger.js';

/** News wait this long for more of them, milliseconds: two such waits, there and back, stay below 50. */
export const BATCH_MS = 20;

/** News of the health of an engine. Clocks differ between processes, so times are ages, in milliseconds before the message. */
export interface Mark {
  readonly engineId: string;
  readonly news: HealthNews;
}

/** An engine made progress `ago` milliseconds before this message. */
export type Progress = readonly [engineId: string, ago: number];

/** What a scrape of an engine brought; null: it told nothing, or none has ended. */
export type EngineFigures = readonly [
  engineId: string,
  stats: EngineStats | null,
  reading: ProgressReading | null,
];

/** The fleet as the primary knows it. Engines that are the same as before are named by their ids alone. */
export interface FleetNews {
  readonly ids: readonly string[];
  readonly changed: readonly Engine[];
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What `/health` and `/ready` show of the primary's part. */
export interface RouterStatus {
  readonly fleet: FleetStatus;
  readonly synced: boolean;
  readonly scraperAlive: boolean;
  readonly dynamicConfig: DynamicConfigState;
  readonly workers: WorkerCounts;
}

/** From the primary to a worker; a worker takes the parts in this order, in one turn of its event loop. */
export interface PrimaryNews {
  /** Settings that come into force, and the reload that they are of. */
  readonly commit?: { readonly reload: number; readonly settings: Settings } | undefined;
  readonly status?: RouterStatus | undefined;
  readonly fleet?: FleetNews | undefined;
  readonly stats?: readonly EngineFigures[] | undefined;
  readonly others?: OthersNews | undefined;
  /** What the strategies of other workers tell. */
  readonly strategy?: readonly HeardNews[] | undefined;
  readonly marks?: readonly Mark[] | undefined;
  /** When engines last made progress on requests of other workers. */
  readonly progress?: readonly Progress[] | undefined;
}

/** What a worker begins with: everything that is in force. */
export interface Beginning {
  /** From 1; the successor of a worker has its number. */
  readonly number: number;
  readonly loaded: LoadedSettings;
  readonly port: number;
  /** Of the hashes of what clients sent, see `RouterRun`. */
  readonly key: Hash64;
  readonly status: RouterStatus;
  readonly firstSeen: ReadonlyMap<string, number>;
  readonly news: PrimaryNews;
}

/** From a worker to the primary. Each part tells what has changed. */
export interface WorkerNews {
  /** Requests in flight, by engine. */
  readonly inFlight: readonly (readonly [engineId: string, count: number])[];
  /** Bytes of bodies held. */
  readonly bodies: number;
  readonly budget: BudgetNews;
  readonly marks: readonly Mark[];
  /** Engines of which the figures are to be read at once, since they may stand still. */
  readonly suspects: readonly string[];
  readonly progress: readonly Progress[];
  readonly series: SeriesShare;
  readonly incoming: ReadonlyMap<string, number>;
  readonly strategy: StrategyNews | null;
}

/** A metric of prom-client as `getMetricsAsJSON` gives it. */
export type MetricJson = object & {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly aggregator: string;
  readonly values: readonly { readonly labels: object; readonly value: number }[];
};

/** All that a worker has counted, for one scrape. */
export interface WholeShare {
  /** By engine id. */
  readonly figures: ReadonlyMap<string, { readonly url: string; readonly sums: FigureSums }>;
  readonly series: SeriesShare;
  readonly incoming: ReadonlyMap<string, number>;
  readonly own: readonly MetricJson[];
  readonly process: readonly MetricJson[];
  /** What the routing strategy shows. */
  readonly strategy: readonly StrategyFigure[];
}

/** What workers ask the primary for operators. */
export type Question = 'view' | 'past' | 'retry' | 'reload';

/** What became of something that an operator wants. */
export type Ordered<T> =
  { readonly done: T } | { readonly refused: Pick<RouterError, 'status' | 'code' | 'message'> };

export type WorkerMessage =
  | { readonly type: 'up' }
  | { readonly type: 'listening' }
  /** The worker cannot start; `settings` says that the settings are to blame. */
  | { readonly type: 'refused'; readonly problems: readonly string[]; readonly settings: boolean }
  | { readonly type: 'news'; readonly news: WorkerNews }
  | { readonly type: 'counters'; readonly own: readonly MetricJson[] }
  | { readonly type: 'share'; readonly id: number; readonly share: WholeShare }
  | { readonly type: 'prepared'; readonly reload: number; readonly problem: string | null }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'ask'; readonly id: number; readonly what: Question }
  | { readonly type: 'latest'; readonly id: number; readonly count: number }
  | { readonly type: 'decisions'; readonly id: number; readonly decisions: readonly DecisionRecord[] };

export type PrimaryMessage =
  | { readonly type: 'begin'; readonly beginning: Beginning }
  | { readonly type: 'news'; readonly news: PrimaryNews }
  | { readonly type: 'collect'; readonly id: number }
  | { readonly type: 'prepare'; readonly reload: number; readonly settings: Settings }
  | { readonly type: 'discard'; readonly reload: number }
  | { readonly type: 'tellDecisions'; readonly id: number; readonly count: number }
  | { readonly type: 'latest'; readonly id: number; readonly decisions: readonly DecisionRecord[] }
  | { readonly type: 'lookAtFiles' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'rendered'; readonly id: number; readonly rendered: RenderedMetrics | null }
  | { readonly type: 'shutDown'; readonly hurry: boolean };
