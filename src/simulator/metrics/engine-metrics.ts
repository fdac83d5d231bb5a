import { Histogram } from '../../core/histogram.js';
import type { EngineModel } from '../model/engine-model.js';
import type { Sequence } from '../model/sequence.js';
import { EngineHistograms } from './engine-histograms.js';
import type { EngineGauges } from './engine-figures.js';
import { metricFamilies } from './metric-families.js';
import { LoraSeries } from './lora-series.js';
import { SLEEP_BUCKETS } from './metric-buckets.js';
import type { VllmGeneration } from './vllm-generation.js';

export interface EngineMetricsOptions {
  /** First served name; adapters never show here. */
  readonly modelName: string;
  /** Longest request, tokens: the end of the token buckets. */
  readonly maxModelLen: number;
  /** When the engine began, Unix seconds. */
  readonly startedAt: number;
  /** Whether the engine runs with `--enable-lora`. */
  readonly lora?: boolean;
  readonly prefixCaching?: boolean;
}

/**
 * What an engine shows in `/metrics`. The driver of the model tells it what happens; each call costs a few
 * additions. Words are made when somebody reads.
 *
 * - In the sink: `observeToken` from `token`, `observeFinished` from `finished`.
 * - After each `endStep`: `observeStep`. Gauges stand still between steps, as vLLM's do: after a client left
 *   an engine that has nothing to do, `readGauges` is for the caller.
 * - When all choices of a request are done: `observeRequest`.
 * - `EngineModel.end` and then `observeFinished` for what counts as ended; nothing after `EngineModel.abort`.
 *
 * Memory is fixed but for the LoRA series (`LoraSeries`).
 */
export class EngineMetrics {
  readonly histograms: EngineHistograms;
  /** Durations by operation, once there was one. */
  readonly sleepOperations = new Map<'sleep' | 'wake', Histogram>();
  /** 0 awake, 1 asleep with offloaded weights, 2 asleep with discarded weights. A pause shows nowhere. */
  sleepLevel: 0 | 1 | 2 = 0;
  readonly #model: EngineModel;
  readonly #options: EngineMetricsOptions;
  readonly #lora: LoraSeries | null;
  #gauges: EngineGauges = { running: 0, waiting: 0, deferred: 0, kvUsage: 0 };
  #cachedTokens = 0;

  constructor(model: EngineModel, options: EngineMetricsOptions) {
    this.#model = model;
    this.#options = options;
    this.#lora = options.lora ? new LoraSeries(model.profile.maxLoras) : null;
    this.histograms = new EngineHistograms(options.maxModelLen);
  }

  /** A token came out. @param now seconds, on the model's clock */
  observeToken(sequence: Sequence, now: number): void {
    const { lastTokenAt } = sequence;
    if (lastTokenAt !== null) {
      this.histograms.nextToken.observe(now - lastTokenAt);
      return;
    }
    this.histograms.firstToken.observe(now - sequence.arrival);
    this.#cachedTokens += sequence.cachedTokens;
  }

  /** A sequence ended in a way that vLLM counts. @param now seconds, on the model's clock */
  observeFinished(sequence: Sequence, now: number): void {
    if (sequence.generated === 0) this.#cachedTokens += sequence.cachedTokens;
    this.histograms.observeFinished(sequence, now);
  }

  /** All choices of a request ended. @param longest tokens of the longest choice */
  observeRequest(choices: number, longest: number): void {
    this.histograms.choices.observe(choices);
    this.histograms.longestChoice.observe(longest);
  }

  /** A step ended. @param unixNow Unix seconds, for the LoRA series */
  observeStep(unixNow: number): void {
    const { prefillTokens, generationTokens } = this.#model.step;
    this.histograms.iterationTokens.observe(prefillTokens + generationTokens);
    this.#lora?.observe(this.#model.adapters, unixNow);
    this.readGauges();
  }

  /** Takes the gauges from the model as they are now. */
  readGauges(): void {
    const { running, waiting, deferred, kvUsage } = this.#model;
    this.#gauges = { running, waiting, deferred, kvUsage };
  }

  /** A sleep or wake-up ended. @param seconds how long it took */
  observeSleep(operation: 'sleep' | 'wake', seconds: number): void {
    const durations = this.sleepOperations.get(operation) ?? new Histogram(SLEEP_BUCKETS);
    this.sleepOperations.set(operation, durations);
    durations.observe(seconds);
  }

  /** The `vllm:` families of that generation in the text format, with names, labels and order of vLLM. */
  text(generation: VllmGeneration): string {
    const { modelName, maxModelLen, startedAt, prefixCaching = true } = this.#options;
    const { counters, profile } = this.#model;
    return metricFamilies(generation, {
      modelName,
      startedAt,
      counters,
      gauges: this.#gauges,
      histograms: this.histograms,
      sleepLevel: this.sleepLevel,
      sleepOperations: this.sleepOperations,
      cachedTokens: this.#cachedTokens,
      loraSeries: this.#lora?.series() ?? [],
      cache: { blockSize: profile.blockSize, blocks: profile.blocks, maxModelLen, prefixCaching },
    });
  }
}
