export interface Family {
  readonly type: string;
  readonly help: string;
  /** Values by series, `name{labels}` as written. */
  readonly samples: Map<string, number>;
}

/**
 * Reads the text format 0.0.4 strictly: a fault of form is thrown. Apart from what the router itself
 * uses to read engines, so that one does not excuse the other.
 */
export function readFamilies(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let name = '';
  if (!text.endsWith('\n')) throw new Error('no newline at the end');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help) {
      name = help[1] as string;
      if (families.has(name)) throw new Error(`${name} comes twice`);
      families.set(name, { type: '', help: help[2] as string, samples: new Map() });
    } else if (type) {
      if (type[1] !== name) throw new Error(`TYPE of ${type[1]} behind HELP of ${name}`);
      families.set(name, { ...(families.get(name) as Family), type: type[2] as string });
    } else {
      addSample(families.get(name), name, line);
    }
  }
  return families;
}

const LABELS = String.raw`(?:\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*")*\})?`;
const SAMPLE = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(${LABELS}) (\S+)$`);

function addSample(family: Family | undefined, name: string, line: string): void {
  const [, sample, labels, value] = SAMPLE.exec(line) ?? [];
  if (!family || sample === undefined) throw new Error(`no sample: ${line}`);
  const suffix = sample.slice(name.length);
  const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!sample.startsWith(name) || !suffixes.includes(suffix)) throw new Error(`${sample} within ${name}`);
  const series = `${sample}${labels}`;
  if (family.samples.has(series)) throw new Error(`${series} comes twice`);
  const number = Number(value);
  if (Number.isNaN(number) && value !== 'NaN') throw new Error(`no value: ${line}`);
  family.samples.set(series, number);
}

/** What `promtool check metrics` says of names and texts, for machines without it. */
export function lint(families: ReadonlyMap<string, Family>): string[] {
  const faults: string[] = [];
  for (const [name, { type, help }] of families) {
    if (help.trim() === '') faults.push(`${name} no help text`);
    if (name.includes(':')) faults.push(`${name} metric names should not contain ':'`);
    if (type === 'counter' && !name.endsWith('_total'))
      faults.push(`${name} counter metrics should have "_total" suffix`);
    if (type !== 'counter' && name.endsWith('_total')) {
      faults.push(`${name} non-counter metrics should not have "_total" suffix`);
    }
    if (/_(count|sum|bucket)$/.test(name)) faults.push(`${name} should not have a histogram's suffix`);
    if (/(^|_)(counter|gauge|histogram|summary)(_|$)/.test(name)) {
      faults.push(`${name} metric name should not include type`);
    }
    if (/(^|_)(ms|milliseconds|minutes|hours|kb|mb|megabytes|kilobytes)(_|$)/.test(name)) {
      faults.push(`${name} use base unit`);
    }
    if (/[A-Z]/.test(name)) faults.push(`${name} metric names should be written in 'snake_case'`);
  }
  return faults;
}
