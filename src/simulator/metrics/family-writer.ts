import type { Histogram } from '../../core/histogram.js';
import type { EngineFigures } from './engine-figures.js';
import { labelText, type Labels, MetricText, type Series } from './metric-text.js';
import { since, type VllmGeneration } from './vllm-generation.js';

/** Writes families of one engine: names with `vllm:` in front, the labels `engine` and `model_name` on all series. */
export class FamilyWriter {
  readonly text: MetricText;
  readonly #labels: Labels;

  constructor(
    readonly generation: VllmGeneration,
    readonly figures: EngineFigures,
  ) {
    this.text = new MetricText(figures.startedAt);
    this.#labels = { engine: '0', model_name: figures.modelName };
  }

  since(first: VllmGeneration): boolean {
    return since(this.generation, first);
  }

  /** One series with further labels. */
  series(labels: Labels, value: number): Series {
    return [labelText({ ...this.#labels, ...labels }), value];
  }

  gauge(name: string, help: string, value: number): void {
    this.text.gauge(`vllm:${name}`, help, [this.series({}, value)]);
  }

  counter(name: string, help: string, value: number): void {
    this.text.counter(`vllm:${name}`, help, [this.series({}, value)]);
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    this.text.histogram(`vllm:${name}`, help, [[this.#labels, histogram]]);
  }
}
