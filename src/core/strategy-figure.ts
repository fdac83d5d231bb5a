/** A number that a strategy shows in `/metrics`; names and labels are of its own choice and bounded. */
export interface StrategyFigure {
  /** Without the prefix `vllm_router_`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly values: readonly FigureValue[];
}

/** One series of a figure. */
export interface FigureValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Families that one strategy may show, and series of each. */
const MAX_FIGURES = 64;
const MAX_VALUES = 10_000;
// https://prometheus.io/docs/concepts/data_model/
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** What can be written of what a strategy gives, which may be a plugin's. */
export function validFigures(given: unknown): readonly StrategyFigure[] {
  if (!Array.isArray(given)) return [];
  const names = new Set<string>();
  return (given as Partial<StrategyFigure>[]).slice(0, MAX_FIGURES).flatMap((figure) => {
    const { name, type, help: words, values } = figure ?? {};
    if (typeof name !== 'string' || !NAME.test(name) || names.has(name) || !Array.isArray(values)) return [];
    names.add(name);
    const help = typeof words === 'string' ? words : '';
    const kept = values.slice(0, MAX_VALUES).filter(isValid);
    return [{ name, type: type === 'counter' ? 'counter' : 'gauge', help, values: kept }];
  });
}

function isValid(given: FigureValue | null | undefined): boolean {
  if (typeof given?.value !== 'number' || typeof given.labels !== 'object' || given.labels === null)
    return false;
  return Object.entries(given.labels).every(([name, text]) => NAME.test(name) && typeof text === 'string');
}

const keyOf = ({ labels }: FigureValue): string => JSON.stringify(labels, Object.keys(labels).toSorted());

/**
 * The figures of several processes with one strategy as those of one. Gauges are those of the first process that
 * has them; counters are added up.
 * @param parts the process first whose gauges count
 */
export function joinedFigures(parts: readonly (readonly StrategyFigure[])[]): readonly StrategyFigure[] {
  const joined = new Map<string, { figure: StrategyFigure; values: Map<string, FigureValue> }>();
  for (const figure of parts.flat()) {
    const known = joined.get(figure.name);
    if (known === undefined) {
      const values = new Map(figure.values.map((value) => [keyOf(value), value]));
      joined.set(figure.name, { figure, values });
    } else if (figure.type === 'counter') {
      for (const { labels, value } of figure.values) {
        const before = known.values.get(keyOf({ labels, value }))?.value ?? 0;
        known.values.set(keyOf({ labels, value }), { labels, value: before + value });
      }
    }
  }
  return [...joined.values()].map(({ figure, values }) => ({ ...figure, values: [...values.values()] }));
}
