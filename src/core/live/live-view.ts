import type { HealthState } from '../health/health-state.js';

/**
 * What the live page shows, as its server tells it and the page reads it. Times are seconds since the epoch, durations
 * seconds, shares 0 to 1. A figure without a sample is null. Where `/metrics` has the same figure it is the same number,
 * rounded to four digits.
 */

/** The middle and the slowest hundredth of what came in the last minute, seconds. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What seldom changes of an engine. */
export interface EngineCard {
  readonly id: string;
  readonly url: string;
  /** The first `MOST_NAMES` of each. */
  readonly models: readonly string[];
  readonly adapters: readonly string[];
  /** Names beyond those. */
  readonly moreNames: number;
}

/** The figures of one engine. */
export interface EngineRow {
  readonly id: string;
  readonly state: HealthState;
  /** Why it is not ready. */
  readonly reason: string | null;
  /** Requests whose first token has not come, and has. */
  readonly prefill: number;
  readonly decoding: number;
  /** Requests in the engine's own queue. */
  readonly waiting: number | null;
  /** Prompt tokens that are on their way to their first token; `prefixaware` alone reckons them. */
  readonly pending: number | null;
  /** Requests sent a second, over the window of the statistics. */
  readonly qps: number;
  readonly ttft: Quantiles;
  readonly itl: Quantiles;
  readonly hitRate: number | null;
  readonly kvUse: number | null;
  readonly slowness: number | null;
}

/** Requests of one model that ended on one engine, a second, over the last seconds. */
export interface Flow {
  readonly model: string;
  /** Id of the engine. */
  readonly engine: string;
  readonly rate: number;
}

/** Of the whole router; rates over the last minute. */
export interface Totals {
  readonly engines: number;
  /** Engines by state. */
  readonly states: Readonly<Partial<Record<HealthState, number>>>;
  readonly inFlight: number;
  readonly qps: number;
  /** Pieces of streams, about a token each. */
  readonly pieces: number;
  readonly failures: number;
  readonly ttft: Quantiles;
  readonly itl: Quantiles;
}

export interface RouterFacts {
  readonly version: string;
  readonly strategy: string;
  readonly discovery: {
    readonly provider: string;
    readonly state: string;
    readonly reason: string | null;
    /** Engines that were found and have not named their models. */
    readonly unknown: number;
  };
  readonly workers: {
    readonly configured: number;
    readonly running: number;
    readonly restarts: number;
  } | null;
  readonly dynamicFile: { readonly appliedAt: number | null; readonly error: string | null } | null;
  /** Whether there is an admin key, without which nobody can act. */
  readonly actions: boolean;
  /** Whether decisions are kept. */
  readonly explains: boolean;
}

/** One column of `Sample`. */
export type SampleName = (typeof SAMPLE_NAMES)[number];

/** What is kept of each five seconds: rates are those of these seconds. */
export const SAMPLE_NAMES = [
  'at',
  'requests',
  'failures',
  'inFlight',
  'pieces',
  'ttft50',
  'ttft99',
  'itl50',
  'itl99',
  'hitRate',
  'kvUse',
] as const;

export type Sample = Readonly<Record<SampleName, number | null>>;
/** By column, the oldest first. */
export type Samples = Readonly<Record<SampleName, readonly (number | null)[]>>;

export type OccurrenceKind =
  'ejected' | 'back' | 'drained' | 'returned' | 'joined' | 'left' | 'reloaded' | 'rejected';

/** Something that happened; those of one router are numbered from 1. */
export interface Occurrence {
  readonly number: number;
  readonly at: number;
  readonly kind: OccurrenceKind;
  /** Base URL, of an engine. */
  readonly engine: string | null;
  /** The cause, or what an error says. */
  readonly detail: string | null;
}

/** How one request was sent where it went. */
export interface DecisionLine {
  readonly id: string;
  readonly at: number;
  readonly model: string;
  readonly strategy: string;
  readonly candidates: number;
  /** Base URL of the engine that was tried last. */
  readonly engine: string | null;
  readonly reason: string;
  readonly cost: number | null;
  readonly uncached: number | null;
  readonly runnerUp: string | null;
  /** How much more the runner-up would have cost. */
  readonly margin: number | null;
  readonly attempts: number;
  /** Null while it is under way. */
  readonly outcome: string | null;
  readonly ttft: number | null;
}

/** A setting in force. */
export interface SettingLine {
  readonly group: string;
  readonly name: string;
  /** As `vllm-router config` prints it: secrets are hidden. */
  readonly value: string;
  readonly origin: string;
}

/** What the whole router shows at one moment. */
export interface LiveView {
  readonly at: number;
  readonly router: RouterFacts;
  readonly totals: Totals;
  readonly cards: readonly EngineCard[];
  readonly rows: readonly EngineRow[];
  readonly flows: readonly Flow[];
  /** The newest one. */
  readonly sample: Sample | null;
  /** The newest ones, the newest last. */
  readonly occurrences: readonly Occurrence[];
  /** The newest first; empty while they are not kept. */
  readonly decisions: readonly DecisionLine[];
  /** Changes with the settings in force. */
  readonly settingsMark: number;
}

/** What a page that opens needs beside a view. */
export interface LivePast {
  readonly samples: Samples;
  readonly settings: readonly SettingLine[];
}

/** What goes to a page: the first time everything, then what has changed. */
export interface LiveNews {
  readonly at: number;
  readonly first?: boolean;
  readonly samples?: Samples;
  readonly settings?: readonly SettingLine[];
  readonly router?: RouterFacts;
  readonly totals?: Totals;
  readonly cards?: readonly EngineCard[];
  readonly rows?: readonly EngineRow[];
  /** Ids of engines that are not shown any more. */
  readonly gone?: readonly string[];
  readonly flows?: readonly Flow[];
  readonly sample?: Sample;
  readonly occurrences?: readonly Occurrence[];
  readonly decisions?: readonly DecisionLine[];
}

/** Engines that are shown: those that are not ready first, then those with the most requests. */
export const MOST_ENGINES = 200;
/** Models, and adapters, that are named of one engine. */
export const MOST_NAMES = 12;
/** Lines of the picture. */
export const MOST_FLOWS = 48;
/** Decisions that are shown. */
export const MOST_DECISIONS = 20;
/** Occurrences that are kept. */
export const MOST_OCCURRENCES = 200;
/** Seconds between two samples. */
export const SAMPLE_SECONDS = 5;
/** Fifteen minutes of them. */
export const MOST_SAMPLES = 180;

/** Four digits: what a page shows, in few bytes. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
