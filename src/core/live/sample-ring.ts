import { MOST_SAMPLES, type Sample, SAMPLE_NAMES, type SampleName, type Samples } from './live-view.js';

/** The last fifteen minutes in samples: `MOST_SAMPLES` rows of a few numbers, 16 KiB. */
export class SampleRing {
  readonly #width = SAMPLE_NAMES.length;
  readonly #values = new Float64Array(MOST_SAMPLES * this.#width);
  #count = 0;

  add(sample: Sample): void {
    const row = (this.#count++ % MOST_SAMPLES) * this.#width;
    SAMPLE_NAMES.forEach((name, at) => (this.#values[row + at] = sample[name] ?? NaN));
  }

  get newest(): Sample | null {
    return this.#count === 0 ? null : this.#row(this.#count - 1);
  }

  get all(): Samples {
    const from = Math.max(0, this.#count - MOST_SAMPLES);
    const rows = Array.from({ length: this.#count - from }, (_, at) => this.#row(from + at));
    const columns = SAMPLE_NAMES.map((name) => [name, rows.map((row) => row[name])]);
    return Object.fromEntries(columns) as Record<SampleName, (number | null)[]>;
  }

  #row(number: number): Sample {
    const row = (number % MOST_SAMPLES) * this.#width;
    const values = SAMPLE_NAMES.map((name, at) => {
      const value = this.#values[row + at]!;
      return [name, Number.isNaN(value) ? null : value];
    });
    return Object.fromEntries(values) as Record<SampleName, number | null>;
  }
}
