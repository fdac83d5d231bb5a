import { randomBytes } from 'node:crypto';
import { EngineSlots } from './engine-slots.js';
import { PrefixCache } from './prefix-cache.js';
import { TokenPacer } from './token-pacer.js';
import { type TokenSource, tokensFor } from './simulated-text.js';
import type { FinishReason, SimulatedModel } from './wire-format.js';

export interface SimulatedEngineOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Served names; the first one without a parent is the name that answers and metrics carry. */
  readonly models?: readonly (string | SimulatedModel)[];
  /** Milliseconds from a free slot to the first token; default 0. */
  readonly timeToFirstToken?: number;
  /** Milliseconds between tokens; default 0. */
  readonly tokenInterval?: number;
  /** Requests that run at once; the others wait. Default: no limit. */
  readonly maxConcurrent?: number;
  /** Tokens of an answer whose request names no limit; default 16, or the words of `answer`. */
  readonly tokens?: number;
  /** The words that every answer consists of, from the first on; default: words made from the prompt. */
  readonly answer?: string;
  /** When given, `/v1` wants `Authorization: Bearer <apiKey>`. */
  readonly apiKey?: string;
  /** Milliseconds until an idle connection is closed; default 5000, as uvicorn. */
  readonly keepAliveMs?: number;
  /** How many requests, and how many probes, are remembered; default 10,000. */
  readonly remember?: number;
}

/** What the requests of one engine share. */
export class EngineState {
  models: readonly SimulatedModel[];
  readonly pacer = new TokenPacer();
  readonly slots: EngineSlots;
  readonly cache = new PrefixCache();
  readonly timeToFirstToken: number;
  readonly tokenInterval: number;
  readonly tokens: number;
  readonly answer: readonly string[] | null;
  readonly apiKey: string | null;
  readonly fingerprint = `vllm-0.32.0-${randomBytes(4).toString('hex')}`;
  /** Unix seconds. */
  readonly createdAt = Date.now() / 1000;

  /** Tokens of the running requests. */
  heldTokens = 0;
  promptTokens = 0;
  generationTokens = 0;
  readonly finished: Record<FinishReason, number> = { stop: 0, length: 0, abort: 0 };

  constructor(options: SimulatedEngineOptions) {
    this.models = modelsOf(options.models ?? ['simulated']);
    this.slots = new EngineSlots(options.maxConcurrent ?? Infinity);
    this.timeToFirstToken = options.timeToFirstToken ?? 0;
    this.tokenInterval = options.tokenInterval ?? 0;
    this.answer = options.answer?.trim().split(/\s+/) ?? null;
    this.tokens = options.tokens ?? this.answer?.length ?? 16;
    this.apiKey = options.apiKey ?? null;
  }

  /** The name that answers and metrics carry for the base model, whatever alias the client used. */
  get firstName(): string {
    return (this.models.find((model) => model.parent === undefined) ?? this.models[0])?.id ?? 'none';
  }

  /** The tokens that a prompt is answered with. */
  tokensFor(prompt: string): TokenSource {
    const { answer } = this;
    if (answer === null) return tokensFor(prompt);
    return (index) => (index === 0 ? '' : ' ') + (answer[index % answer.length] ?? '');
  }
}

export function modelsOf(models: readonly (string | SimulatedModel)[]): readonly SimulatedModel[] {
  return models.map((model) => (typeof model === 'string' ? { id: model } : model));
}
