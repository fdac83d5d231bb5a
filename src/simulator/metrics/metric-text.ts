import type { Histogram } from '../../core/histogram.js';

/** The labels of one series as they stand between the braces, and its value. */
export type Series = readonly [labels: string, value: number];

/**
 * A number as prometheus_client writes it: always with a point, and with an exponent from 1e6 on and below
 * 1e-4. The exponent has a 0 in front, whatever its length.
 */
export function metricNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) {
    const [mantissa, exponent] = value.toExponential().split('e-') as [string, string];
    return `${mantissa}e-${exponent.padStart(2, '0')}`;
  }
  const digits = Number.isInteger(value) ? `${value}.0` : String(value);
  const point = digits.indexOf('.');
  if (value <= 0 || point <= 6) return digits;
  const mantissa = `${digits[0]}.${digits.slice(1, point)}${digits.slice(point + 1)}`.replace(/[0.]+$/, '');
  return `${mantissa}e+0${point - 1}`;
}

/** Labels in the order of their names, as prometheus_client sorts them. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Writes metric families in the text format, each with the `_created` gauges of prometheus_client. */
export class MetricText {
  readonly #lines: string[] = [];
  readonly #created: number;

  /** @param created when the series began, Unix seconds */
  constructor(created: number) {
    this.#created = created;
  }

  gauge(name: string, help: string, series: readonly Series[]): void {
    this.#head(name, help, 'gauge');
    for (const [labels, value] of series) this.#lines.push(`${name}{${labels}} ${metricNumber(value)}`);
  }

  /** @param name without `_total` */
  counter(name: string, help: string, series: readonly Series[]): void {
    this.#head(`${name}_total`, help, 'counter');
    for (const [labels, value] of series) this.#lines.push(`${name}_total{${labels}} ${metricNumber(value)}`);
    this.#createdGauges(name, help, series);
  }

  histogram(name: string, help: string, series: readonly (readonly [Labels, Histogram])[]): void {
    this.#head(name, help, 'histogram');
    const plain: Series[] = [];
    for (const [labels, histogram] of series) {
      const cumulative = histogram.cumulative();
      const bounds = [...histogram.bounds.map(metricNumber), '+Inf'];
      for (const [at, bound] of bounds.entries()) {
        const text = labelText({ ...labels, le: bound });
        this.#lines.push(`${name}_bucket{${text}} ${metricNumber(cumulative[at] as number)}`);
      }
      const text = labelText(labels);
      this.#lines.push(`${name}_count{${text}} ${metricNumber(histogram.count)}`);
      this.#lines.push(`${name}_sum{${text}} ${metricNumber(histogram.sum)}`);
      plain.push([text, 0]);
    }
    this.#createdGauges(name, help, plain);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #createdGauges(name: string, help: string, series: readonly Series[]): void {
    this.gauge(
      `${name}_created`,
      help,
      series.map(([labels]) => [labels, this.#created] as const),
    );
  }

  #head(name: string, help: string, type: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }
}

export type Labels = Readonly<Record<string, string>>;
