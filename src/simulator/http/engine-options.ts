import type { EngineProfile, ProfileName } from '../model/engine-profile.js';
import type { SimulatedModel } from './wire-format.js';

/** Which APIs an engine has: those that generate text, those that pool, or both. */
export type EngineRunner = 'auto' | 'generate' | 'pooling';

export interface SimulatedEngineOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Served names; the first one without a parent is the name that answers and metrics carry. */
  readonly models?: readonly (string | SimulatedModel)[];

  /** What its steps cost; default `instant`. */
  readonly profile?: EngineProfile | ProfileName;
  /** How many times faster than the profile it is; default 1. */
  readonly speed?: number;
  /** Milliseconds to the first token and between tokens, whatever the load; replace the profile's steps. */
  readonly timeToFirstToken?: number;
  readonly tokenInterval?: number;
  /** Sequences that run at once, the others wait; default: the profile's. */
  readonly maxConcurrent?: number;
  /** As `--max-num-queued-reqs` and `--max-num-queued-tokens`; no limit by default. */
  readonly maxQueuedRequests?: number;
  readonly maxQueuedTokens?: number;
  readonly priorityScheduling?: boolean;

  /** Tokens of an answer whose request names no limit; default 16, or the words of `answer`. */
  readonly tokens?: number;
  /** The words that every answer consists of, from the first on; default: words made from the prompt. */
  readonly answer?: string;

  /** Default `0.32.0`; decides `/version`, the metrics and the shape of errors. */
  readonly vllmVersion?: string;
  readonly runner?: EngineRunner;
  /** When given, `/v1` wants `Authorization: Bearer <apiKey>`. */
  readonly apiKey?: string;
  /** Whether adapters can be served: `--enable-lora`. */
  readonly lora?: boolean;
  /** Routes that load and unload adapters: `VLLM_ALLOW_RUNTIME_LORA_UPDATING`. */
  readonly loraUpdating?: boolean;
  /** Sleep, pause and cache routes: `VLLM_SERVER_DEV_MODE`. */
  readonly devMode?: boolean;
  readonly promptTokensDetails?: boolean;
  readonly requestIdHeaders?: boolean;
  /** Whether `/load` counts. */
  readonly serverLoadTracking?: boolean;
  readonly autoToolChoice?: boolean;
  /** Milliseconds of silence after which a stream gets a comment; 0 for never, the default. */
  readonly sseKeepAliveMs?: number;

  /** Milliseconds until an idle connection is closed; default 5000, as uvicorn. */
  readonly keepAliveMs?: number;
  /** How many requests, and how many probes, are remembered; default 10,000. */
  readonly remember?: number;
}
