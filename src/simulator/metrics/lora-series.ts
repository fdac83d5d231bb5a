import type { EngineModel } from '../model/engine-model.js';
import { labelText, type Series } from './metric-text.js';

/** Combinations of adapters that are remembered; beyond it the oldest is forgotten. */
const MOST_SERIES = 1000;

/**
 * The series of `vllm:lora_requests_info`: one for each combination of adapters that was ever seen, with the
 * Unix time at which it last was; the greatest is the present one. An adapter of a running sequence stands
 * among the waiting ones, too: vLLM never takes it out there.
 */
export class LoraSeries {
  readonly #maxLoras: number;
  readonly #seen = new Map<string, number>();

  constructor(maxLoras: number) {
    this.#maxLoras = maxLoras;
  }

  /** @param now Unix seconds */
  observe({ running, waiting }: EngineModel['adapters'], now: number): void {
    const present = labelText({
      max_lora: String(this.#maxLoras),
      running_lora_adapters: [...running.keys()].join(','),
      waiting_lora_adapters: [...new Set([...running.keys(), ...waiting.keys()])].join(','),
    });
    this.#seen.delete(present);
    this.#seen.set(present, now);
    if (this.#seen.size <= MOST_SERIES) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      break;
    }
  }

  series(): Series[] {
    return [...this.#seen].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
