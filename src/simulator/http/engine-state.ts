import { randomBytes } from 'node:crypto';
import { EngineMetrics } from '../metrics/engine-metrics.js';
import { generationOf, since, type VllmGeneration } from '../metrics/vllm-generation.js';
import { EngineModel } from '../model/engine-model.js';
import { type EngineProfile, PROFILES } from '../model/engine-profile.js';
import type { EngineRunner, SimulatedEngineOptions } from './engine-options.js';
import { EngineSwitches } from './engine-switches.js';
import { StepDriver } from './step-driver.js';
import { type TokenSource, tokensFor, tokensOf } from './simulated-text.js';
import type { SimulatedModel } from './wire-format.js';
import { DEFAULT_MAX_MODEL_LEN } from './wire-format-other.js';

const clock = (): number => performance.now() / 1e3;

/** What the requests of one engine share. */
export class EngineState {
  models: readonly SimulatedModel[];
  readonly model: EngineModel;
  readonly driver: StepDriver;
  readonly metrics: EngineMetrics;
  readonly switches: EngineSwitches;
  readonly tokens: number;
  readonly apiKey: string | null;
  readonly version: string;
  readonly generation: VllmGeneration;
  readonly runner: EngineRunner;
  readonly lora: boolean;
  readonly loraUpdating: boolean;
  readonly devMode: boolean;
  readonly tellsPromptDetails: boolean;
  readonly requestIdHeaders: boolean;
  readonly serverLoadTracking: boolean;
  readonly autoToolChoice: boolean;
  readonly sseKeepAliveMs: number;
  readonly fingerprint: string;
  /** Metrics as they were when the engine froze; null while it runs. */
  frozenMetrics: string | null = null;
  /** Requests under way that generate or pool, for `/load`. */
  load = 0;
  readonly #answer: TokenSource | null;

  constructor(options: SimulatedEngineOptions) {
    this.models = modelsOf(options.models ?? ['simulated']);
    const words = options.answer?.trim().split(/\s+/) ?? null;
    this.#answer = words === null ? null : tokensOf(words);
    this.tokens = options.tokens ?? words?.length ?? 16;
    this.apiKey = options.apiKey ?? null;
    this.version = options.vllmVersion ?? '0.32.0';
    this.generation = generationOf(this.version);
    this.runner = options.runner ?? 'auto';
    this.lora = options.lora ?? false;
    this.loraUpdating = options.loraUpdating ?? false;
    this.devMode = options.devMode ?? false;
    this.tellsPromptDetails = options.promptTokensDetails ?? false;
    this.requestIdHeaders = options.requestIdHeaders ?? false;
    this.serverLoadTracking = options.serverLoadTracking ?? false;
    this.autoToolChoice = options.autoToolChoice ?? false;
    this.sseKeepAliveMs = options.sseKeepAliveMs ?? 0;
    this.fingerprint = `vllm-${this.version}-${randomBytes(4).toString('hex')}`;

    const { maxQueuedRequests = Infinity, maxQueuedTokens = Infinity, priorityScheduling = false } = options;
    const limits = { maxQueuedRequests, maxQueuedTokens, priorityScheduling };
    this.model = new EngineModel(profileOf(options), limits);
    this.metrics = new EngineMetrics(this.model, {
      modelName: this.firstName,
      maxModelLen: this.models[0]?.maxModelLen ?? DEFAULT_MAX_MODEL_LEN,
      startedAt: Date.now() / 1e3,
      lora: this.lora,
    });
    this.driver = new StepDriver(this.model, clock, paceOf(options), this.metrics);
    this.switches = new EngineSwitches(this.driver, this.metrics);
  }

  /** The name that answers and metrics carry for the base model, whatever alias the client used. */
  get firstName(): string {
    return (this.models.find((model) => model.parent === undefined) ?? this.models[0])?.id ?? 'none';
  }

  /** vLLM up to 0.10.0 wrote errors without the `error` key. */
  get flatErrors(): boolean {
    return !since(this.generation, '0.10') || this.version === '0.10.0';
  }

  /** The tokens that a prompt is answered with. */
  tokensFor(prompt: string, choice: number): TokenSource {
    return this.#answer ?? tokensFor(prompt, choice);
  }

  /** `/metrics` as of now, or as of when the engine froze. */
  metricsText(): string {
    if (this.frozenMetrics !== null) return this.frozenMetrics;
    this.metrics.readGauges();
    return this.metrics.text(this.generation);
  }
}

export function modelsOf(models: readonly (string | SimulatedModel)[]): readonly SimulatedModel[] {
  return models.map((model) => (typeof model === 'string' ? { id: model } : model));
}

function profileOf({ profile = 'instant', speed = 1, maxConcurrent }: SimulatedEngineOptions): EngineProfile {
  const base = typeof profile === 'string' ? PROFILES[profile] : profile;
  return {
    ...base,
    stepSeconds: base.stepSeconds / speed,
    prefillSecondsPerToken: base.prefillSecondsPerToken / speed,
    attentionSeconds: base.attentionSeconds / speed,
    decodeSecondsPerSequence: base.decodeSecondsPerSequence / speed,
    kvReadSecondsPerToken: base.kvReadSecondsPerToken / speed,
    loraLoadSeconds: base.loraLoadSeconds / speed,
    maxSequences: maxConcurrent ?? base.maxSequences,
  };
}

function paceOf({ timeToFirstToken, tokenInterval, speed = 1 }: SimulatedEngineOptions) {
  if (timeToFirstToken === undefined && tokenInterval === undefined) return null;
  return {
    timeToFirstToken: (timeToFirstToken ?? 0) / 1e3 / speed,
    tokenInterval: (tokenInterval ?? 0) / 1e3 / speed,
  };
}
