import type { HealthState } from '../health/health-state.js';
import type { EngineRow, Quantiles } from '../live/live-view.js';
import { quantile } from '../live/quantile.js';
import type { Buckets, EngineScrape, RouterScrape } from './router-scrape.js';

/** What a router's `/health` and `/ready` say; null: they do not say. */
export interface RouterHealth {
  /** Why requests should not be sent there now; null: they may be. */
  readonly unready: string | null;
  readonly discovery: {
    readonly provider: string;
    readonly state: string;
    readonly reason: string | null;
  } | null;
  /** Why engines are not ready, by base URL. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** One engine, with the figures of the live page. */
export interface TopRow extends Omit<EngineRow, 'id' | 'state' | 'decoding'> {
  readonly url: string;
  readonly state: HealthState | 'unknown';
  /** Those that it was asked for. */
  readonly models: readonly string[];
  readonly inFlight: number;
}

/** How often something happened, by its word. */
export type Tally = readonly (readonly [word: string, count: number])[];

/** What `vllm-router top` shows. */
export interface TopView {
  readonly version: string;
  readonly upSeconds: number | null;
  readonly workers: number | null;
  readonly health: Pick<RouterHealth, 'unready' | 'discovery'>;
  /** Seconds that quantiles and tallies are of; null: since the router's start. */
  readonly window: number | null;
  readonly inFlight: number;
  readonly held: number | null;
  readonly qps: number;
  readonly ttft: Quantiles;
  readonly itl: Quantiles;
  readonly rows: readonly TopRow[];
  /** Attempts that ended, by outcome. */
  readonly outcomes: Tally;
  readonly rejections: Tally;
  readonly retries: Tally;
  readonly ejections: Tally;
}

/**
 * What a scrape shows, and what has come since an earlier one.
 * @param before null: quantiles and tallies are since the router's start
 * @param wallSeconds the time of `now`, seconds since the epoch
 */
export function topView(
  now: RouterScrape,
  before: RouterScrape | null,
  health: RouterHealth,
  wallSeconds: number,
): TopView {
  const all: Record<'ttft' | 'itl', Buckets> = { ttft: new Map(), itl: new Map() };
  const rows = [...now.engines].map(([url, engine]) => {
    const earlier = before?.engines.get(url);
    const [ttft, itl] = (['ttft', 'itl'] as const).map((kind) => {
      const counts = since(engine[kind], earlier?.[kind]);
      for (const [bound, count] of counts) all[kind].set(bound, (all[kind].get(bound) ?? 0) + count);
      return quantiles(counts);
    }) as [Quantiles, Quantiles];
    return rowOf(url, engine, ttft, itl, health.reasons.get(url) ?? null);
  });
  const sum = (of: (row: TopRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    version: now.version ?? '',
    upSeconds: now.startedAt === null ? null : Math.max(0, wallSeconds - now.startedAt),
    workers: now.workers,
    health: { unready: health.unready, discovery: health.discovery },
    window: before === null ? null : (now.at - before.at) / 1_000,
    inFlight: sum((row) => row.inFlight),
    held: now.held,
    qps: sum((row) => row.qps),
    ttft: quantiles(all.ttft),
    itl: quantiles(all.itl),
    rows,
    outcomes: tally(now.outcomes, before?.outcomes),
    rejections: tally(now.rejections, before?.rejections),
    retries: tally(now.retries, before?.retries),
    ejections: tally(now.ejections, before?.ejections),
  };
}

function rowOf(
  url: string,
  engine: EngineScrape,
  ttft: Quantiles,
  itl: Quantiles,
  reason: string | null,
): TopRow {
  const { state, prefill, decoding, models, ...told } = engine;
  return {
    ...{ url, reason, ttft, itl, prefill },
    state: state ?? 'unknown',
    models: [...models].filter((model) => model !== '').sort(),
    inFlight: prefill + decoding,
    ...{ pending: told.pending, waiting: told.waiting, qps: told.qps },
    ...{ hitRate: told.hitRate, kvUse: told.kvUse, slowness: told.slowness },
  };
}

/** What was counted since then; a counter that has gone down began anew. */
const grown = (now: number, before: number | undefined): number =>
  before === undefined || now < before ? now : now - before;

function since(now: Buckets, before: Buckets | undefined): Buckets {
  const anew = before !== undefined && (now.get(Infinity) ?? 0) < (before.get(Infinity) ?? 0);
  return new Map(
    [...now].map(([bound, count]) => [bound, grown(count, anew ? undefined : before?.get(bound))]),
  );
}

/** @param cumulative counts by upper bound, `Infinity` for all */
function quantiles(cumulative: Buckets): Quantiles {
  const bounds = [...cumulative.keys()].filter(Number.isFinite).sort((a, b) => a - b);
  let below = 0;
  const counts = [...bounds, Infinity].map((bound) => {
    const upTo = Math.max(cumulative.get(bound) ?? below, below);
    const count = upTo - below;
    below = upTo;
    return count;
  });
  return { p50: quantile(bounds, counts, 0.5), p99: quantile(bounds, counts, 0.99) };
}

const tally = (now: ReadonlyMap<string, number>, before?: ReadonlyMap<string, number>): Tally =>
  [...now]
    .map(([word, count]) => [word, grown(count, before?.get(word))] as const)
    .filter(([, count]) => count > 0)
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
