import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Histogram } from '../core/histogram.js';

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** Lines written before the event loop gets a turn: about two milliseconds. */
const LINES_PER_TURN = 2_000;

/** `name="value",…` of a series, escaped once and used for each of its lines. */
export function labels(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}="${escape(value)}"`)
    .join(',');
}

/**
 * Writes metric families in the Prometheus text format 0.0.4, straight from the numbers that others
 * keep: nothing is registered, so a series is there exactly as long as what it tells of. A family
 * without a sample leaves no line.
 */
export class MetricWriter {
  #text = '';
  #header = '';
  #name = '';
  #lines = 0;

  /** Begins the next family. */
  family(name: string, type: MetricType, help: string): this {
    this.#name = name;
    this.#header = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
    return this;
  }

  /** Writes one sample; null and what is no number: no sample. */
  sample(labelText: string, value: number | null | undefined): this {
    if (value === null || value === undefined || Number.isNaN(value)) return this;
    this.#line(this.#name, labelText, value);
    return this;
  }

  /** Writes one histogram, unless it is empty; `bounds` are some of its own. */
  histogram(labelText: string, histogram: Histogram, bounds: readonly number[] = histogram.bounds): this {
    const cumulative = histogram.cumulative();
    const count = cumulative.at(-1) ?? 0;
    if (count === 0) return this;
    for (const bound of bounds) {
      const at = histogram.bounds.indexOf(bound);
      this.#line(`${this.#name}_bucket`, `${labelText},le="${bound}"`, cumulative[at] ?? 0);
    }
    this.#line(`${this.#name}_bucket`, `${labelText},le="+Inf"`, count);
    this.#line(`${this.#name}_sum`, labelText, histogram.sum);
    this.#line(`${this.#name}_count`, labelText, count);
    return this;
  }

  /** Lets other work run when much has been written since the last turn; call between series. */
  async breathe(): Promise<void> {
    if (this.#lines < LINES_PER_TURN) return;
    this.#lines = 0;
    await nextTurn();
  }

  text(): string {
    return this.#text;
  }

  #line(name: string, labelText: string, value: number): void {
    this.#text += `${this.#header}${name}${labelText === '' ? '' : `{${labelText}}`} ${value}\n`;
    this.#header = '';
    this.#lines++;
  }
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
