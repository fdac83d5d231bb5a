// What a show prints: one figure a line, what was wanted of it, and whether it held.

/** Something that a show needs is not there; ends it with exit code 2. */
export class Missing extends Error {}

/** The value below which the share `p` (0 to 1) of the samples lies; NaN without samples. */
export function percentile(samples, p) {
  const sorted = Float64Array.from(samples).sort();
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)];
}

/** `p50 / p99 / max` of samples in milliseconds, as text. */
export function spread(samples) {
  const [p50, p99, max] = [0.5, 0.99, 1].map((p) => percentile(samples, p).toFixed(1));
  return `${p50} / ${p99} / ${max} ms`;
}

/** The figures of one show. */
export class Figures {
  #rows = [];

  /** A figure that is shown and not judged. */
  note(name, value) {
    this.#rows.push({ name, value: String(value), wanted: '', holds: true });
  }

  /** A figure that must hold. */
  check(name, value, wanted, holds) {
    this.#rows.push({ name, value: String(value), wanted, holds });
  }

  /** A figure that must be this very value. */
  equal(name, value, wanted) {
    this.check(name, value, String(wanted), value === wanted);
  }

  /** A figure that must be below a limit. */
  below(name, value, limit, unit) {
    const holds = Number.isFinite(value) && value < limit;
    this.check(name, `${value.toFixed(1)} ${unit}`, `< ${limit} ${unit}`, holds);
  }

  /** Why the line does not hold; empty when it does. */
  get problems() {
    return this.#rows
      .filter(({ holds }) => !holds)
      .map(({ name, value, wanted }) => `${name}: ${value}, wanted ${wanted}`);
  }

  toString() {
    const width = (key) => Math.max(...this.#rows.map((row) => row[key].length));
    const [name, value, wanted] = [width('name'), width('value'), width('wanted')];
    return this.#rows
      .map((row) => {
        const verdict = row.wanted === '' ? '' : row.holds ? 'ok' : 'NOT';
        return `  ${row.name.padEnd(name)}  ${row.value.padEnd(value)}  ${row.wanted.padEnd(wanted)}  ${verdict}`;
      })
      .map((line) => line.trimEnd())
      .join('\n');
  }
}
