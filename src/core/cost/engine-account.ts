import type { ServedModel } from '../engine.js';
import { CacheBelief } from './cache-belief.js';
import { EnginePace } from './engine-pace.js';
import { ForeignLoad } from './foreign-load.js';
import { LoadIntegral } from './load-integral.js';
import { LoadedAdapters } from './loaded-adapters.js';
import { PendingTokens } from './pending-tokens.js';
import { RecentFailures } from './recent-failures.js';
import { TokenIntake } from './token-intake.js';

/**
 * An engine that joins a fleet counts as slower until it has shown itself: its caches, compiled kernels and
 * connections are cold.
 */
const SLOW_START = { factor: 2, requests: 10, spanMs: 30_000 } as const;

/** All that is reckoned and learned of one engine. */
export class EngineAccount {
  readonly pending = new PendingTokens();
  readonly pace = new EnginePace();
  readonly cache = new CacheBelief();
  readonly foreign = new ForeignLoad();
  readonly adapters = new LoadedAdapters();
  readonly load = new LoadIntegral();
  readonly intake = new TokenIntake();
  readonly failures = new RecentFailures();
  /** Requests in flight that this process sent. */
  inFlight = 0;
  /** How often it has lost its cache: what requests held before is not there any more. */
  losses = 0;
  /** Whether what is under way here has changed and the other processes are still to be told. */
  untold = false;
  /** Uncached tokens of all prompts that have brought their first token. */
  computedTokens = 0;
  /** Cached tokens of the prompts of which the engine told how much was cached: as predicted, as told. */
  predictedTokens = 0;
  reportedTokens = 0;
  /** The model that all it serves are or are adapters of, see `baseModel`. */
  base = '';
  #requests = 0;

  /**
   * @param slot of the engine in the prefix index
   * @param joinedAt when it joined a fleet that was there before, monotonic milliseconds; null for one of the first
   */
  constructor(
    readonly id: string,
    public url: string,
    readonly slot: number,
    private readonly joinedAt: number | null,
  ) {}

  /** A request was sent here. */
  begin(): void {
    this.inFlight++;
    this.#requests++;
  }

  /** A request that was sent here is over. */
  end(): void {
    this.inFlight = Math.max(0, this.inFlight - 1);
  }

  /** 2 for an engine that has just joined: for thirty seconds or ten requests. Else 1. */
  slowStart(now: number): number {
    if (this.joinedAt === null || this.#requests >= SLOW_START.requests) return 1;
    return now - this.joinedAt < SLOW_START.spanMs ? SLOW_START.factor : 1;
  }
}

/** The model that an engine's others are adapters of, by which engines are comparable; empty for none. */
export function baseModel(served: readonly ServedModel[]): string {
  for (const { id, parent } of served) if (parent === null) return id;
  return served[0]?.parent ?? '';
}

/** Whether an engine that serves these has `model` as an adapter. */
export function isAdapter(model: string, served: readonly ServedModel[]): boolean {
  for (const { id, parent } of served) if (id === model) return parent !== null;
  return false;
}
