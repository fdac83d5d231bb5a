import { printable } from '../printable.js';
import type { CheckedPart, Finding, FindingLevel } from './finding.js';

/** Engines that are well beyond so many are one line. */
const MOST_FINE = 20;
const COLOURS: Readonly<Record<FindingLevel, string>> = {
  ok: '\x1b[32m',
  warning: '\x1b[33m',
  problem: '\x1b[31m',
};
const RESET = '\x1b[0m';
const WIDEST = 'problem'.length;

/** All that was found: the parts in their order, the engines that are well last and few. */
export function checkText(
  parts: readonly CheckedPart[],
  engines: readonly CheckedPart[],
  colours: boolean,
): string {
  const lines = [...parts, ...engines.filter((part) => !isFine(part))].flatMap((part) =>
    partLines(part, colours),
  );
  const well = engines.filter(isFine);
  lines.push(...well.slice(0, MOST_FINE).flatMap((part) => partLines(part, colours)));
  if (well.length > MOST_FINE)
    lines.push(mark('ok', colours) + `${well.length - MOST_FINE} more engines are well`);
  return `${lines.join('\n')}\n\n${summary([...parts, ...engines])}\n`;
}

/** How many problems and warnings there are, in words. */
export function summary(parts: readonly CheckedPart[]): string {
  const count = (level: FindingLevel): number =>
    parts.reduce((sum, { findings }) => sum + findings.filter((one) => one.level === level).length, 0);
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems + warnings === 0) return 'All is well.';
  return `${some(problems, 'problem')}, ${some(warnings, 'warning')}.`;
}

export const hasProblems = (parts: readonly CheckedPart[]): boolean =>
  parts.some(({ findings }) => findings.some(({ level }) => level === 'problem'));

const some = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const isFine = ({ findings }: CheckedPart): boolean => findings.every(({ level }) => level === 'ok');

function partLines({ name, findings }: CheckedPart, colours: boolean): string[] {
  return findings.flatMap(({ level, what, todo }: Finding) => {
    const line = `${mark(level, colours)}${printable(name)}: ${printable(what)}`;
    return todo === null ? [line] : [line, `${' '.repeat(WIDEST + 2)}what to do: ${printable(todo)}`];
  });
}

function mark(level: FindingLevel, colours: boolean): string {
  const word = level.padEnd(WIDEST + 2);
  return colours ? `${COLOURS[level]}${word}${RESET}` : word;
}
