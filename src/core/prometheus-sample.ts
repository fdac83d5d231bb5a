import { LabelReader } from './prometheus-labels.js';

/** Longest line that is read; a real `cache_config_info` has 2 KiB. */
export const LONGEST_LINE = 64 * 1024;

/** One line of the Prometheus text format with a value. */
export interface Sample {
  readonly name: string;
  /** NaN for what is no number. */
  readonly value: number;
  /** Undefined for a label that it does not have. */
  label(name: string): string | undefined;
}

/**
 * Reads one line in the text format 0.0.4, 1.0.0 or OpenMetrics. A timestamp or an exemplar behind the value is not read.
 * @param wants whether a name is worth the rest of its line
 * @returns null for what is not wanted, and for labels that make no sense
 */
export function readSample(line: string, wants: (name: string) => boolean): Sample | null {
  const brace = line.indexOf('{');
  const space = line.search(/[ \t]/);
  const labelled = brace >= 0 && (space < 0 || brace < space || line.slice(space, brace).trim() === '');
  const name = line.slice(0, labelled ? brace : Math.max(space, 0)).trim();
  if (!wants(name)) return null;
  const labels = new LabelReader(line, brace);
  if (labelled && !labels.read()) return null;
  return {
    name,
    value: numberAt(line, labelled ? labels.end : space),
    label: (wanted) => labels.get(wanted),
  };
}

/** The lines of a text that hold samples, without those that are too long. */
export function* sampleLines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end - start <= LONGEST_LINE && end > start && text[start] !== '#') yield text.slice(start, end);
    start = end + 1;
  }
}

/** The first number at or after `from`. */
function numberAt(line: string, from: number): number {
  const token = /^[ \t]*([^ \t\r]+)/.exec(line.slice(from))?.[1] ?? '';
  if (/^\+?Inf$/i.test(token)) return Infinity;
  return /^[+-]?[0-9.]/.test(token) ? Number(token) : NaN;
}
