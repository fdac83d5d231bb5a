import { z } from 'zod';
import { booleanFromText, bytesFromText, numberFromText } from './raw-values.js';

/** The sections of `--help` and of docs/configuration.md, in their order. */
export const SETTING_GROUPS = [
  'Engines',
  'Kubernetes discovery',
  'Routing',
  'Server',
  'Security',
  'Limits',
  'Timeouts',
  'Statistics and logs',
  'Tracing',
  'Dynamic file',
  'Config file and plugins',
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number];

/** What a setting says of itself, whatever its kind. */
export interface SettingAbout {
  readonly group: SettingGroup;
  /** One or two sentences for `--help` and docs/configuration.md. */
  readonly help: string;
  /** The dynamic file may hold it. */
  readonly dynamic?: boolean;
  /** Has no flag and no place in a file: this environment variable alone sets it. */
  readonly onlyEnv?: string;
  /** Never printed. */
  readonly secret?: boolean;
}

export interface Setting<T> extends SettingAbout {
  readonly kind: 'string' | 'int' | 'number' | 'bool' | 'list' | 'bytes' | 'choice';
  /** Reads the text of a flag or variable as well as the value in a file. */
  readonly schema: z.ZodType<T>;
  /** Absent: the setting is required. */
  readonly default?: T;
  /** What a value must be, to follow "give". */
  readonly allowed: string;
  /** Stands for the value in `--help`. */
  readonly valueName: string;
  readonly unit?: 'seconds' | 'bytes';
  /** The values that shell completion offers. */
  readonly choices?: readonly string[];
  /** The flag may be given several times; values add up. */
  readonly repeatable?: boolean;
}

interface TextRules {
  readonly allowed: string;
  readonly valueName: string;
  readonly pattern?: RegExp;
  readonly choices?: readonly string[];
}

/** Longest text of one value, in characters. */
const TEXT_LENGTH = 4096;

const textSchema = (pattern: RegExp): z.ZodType<string> => z.string().trim().max(TEXT_LENGTH).regex(pattern);
// Control characters have no place in a header name, a path, a selector or a log line.
const PRINTABLE = /^\P{Cc}+$/u;
const emptyIsNull = (raw: unknown): unknown => (typeof raw === 'string' && raw.trim() === '' ? null : raw);

export function text(about: SettingAbout, rules: TextRules & { default: string }): Setting<string> {
  return { ...about, ...rules, kind: 'string', schema: textSchema(rules.pattern ?? PRINTABLE) };
}

export function requiredText(about: SettingAbout, rules: TextRules): Setting<string> {
  return { ...about, ...rules, kind: 'string', schema: textSchema(rules.pattern ?? PRINTABLE) };
}

/** Empty text counts as not given. */
export function optionalText(about: SettingAbout, rules: TextRules): Setting<string | null> {
  const schema = z.preprocess(emptyIsNull, textSchema(rules.pattern ?? PRINTABLE).nullable());
  return { ...about, ...rules, kind: 'string', schema, default: null };
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function int(
  about: SettingAbout,
  rules: Range & { default: number; valueName?: string },
): Setting<number> {
  return {
    ...about,
    kind: 'int',
    schema: z.preprocess(numberFromText, z.number().int().min(rules.min).max(rules.max)),
    default: rules.default,
    allowed: `a whole number from ${rules.min} to ${rules.max}`,
    valueName: rules.valueName ?? 'number',
  };
}

/** A whole number, or the word `auto` for what `auto` finds when the settings are read. */
export function intOrAuto(
  about: SettingAbout,
  rules: Range & { default: number; auto: () => number },
): Setting<number> {
  const { min, max } = rules;
  const read = (raw: unknown): unknown => {
    const isAuto = typeof raw === 'string' && raw.trim().toLowerCase() === 'auto';
    return isAuto ? Math.min(Math.max(rules.auto(), min), max) : numberFromText(raw);
  };
  return {
    ...about,
    kind: 'int',
    schema: z.preprocess(read, z.number().int().min(min).max(max)),
    default: rules.default,
    allowed: `a whole number from ${min} to ${max}, or auto`,
    valueName: 'number|auto',
  };
}

/** The longest delay that Node's timers can hold: 2^31 - 1 milliseconds. */
const LONGEST_SECONDS = 2_147_483;

const secondsParts = (about: SettingAbout, { min, max }: Range) =>
  ({
    ...about,
    kind: 'number',
    allowed: `seconds from ${min} to ${max}`,
    valueName: 'seconds',
    unit: 'seconds',
  }) as const;
const secondsSchema = ({ min, max }: Range): z.ZodType<number> => z.number().min(min).max(max);

export function seconds(
  about: SettingAbout,
  { default: preset, min = 0.01, max = LONGEST_SECONDS }: Partial<Range> & { default: number },
): Setting<number> {
  const range = { min, max };
  const schema = z.preprocess(numberFromText, secondsSchema(range));
  return { ...secondsParts(about, range), schema, default: preset };
}

export function optionalSeconds(
  about: SettingAbout,
  { min = 0.01, max = LONGEST_SECONDS }: Partial<Range> = {},
): Setting<number | null> {
  const range = { min, max };
  const read = (raw: unknown): unknown => numberFromText(emptyIsNull(raw));
  return {
    ...secondsParts(about, range),
    schema: z.preprocess(read, secondsSchema(range).nullable()),
    default: null,
  };
}

export function number(
  about: SettingAbout,
  { min, max, default: preset }: Range & { default: number },
): Setting<number> {
  const schema = z.preprocess(numberFromText, z.number().min(min).max(max));
  const allowed = `a number from ${min} to ${max}`;
  return { ...about, kind: 'number', schema, default: preset, allowed, valueName: 'number' };
}

/** A number from `min` to `max`, or 0 for off. */
export function numberOrOff(
  about: SettingAbout,
  { min, max, default: preset }: Range & { default: number },
): Setting<number> {
  const within = (value: number): boolean => value === 0 || (value >= min && value <= max);
  const schema = z.preprocess(numberFromText, z.number().refine(within));
  const allowed = `0, or a number from ${min} to ${max}`;
  return { ...about, kind: 'number', schema, default: preset, allowed, valueName: 'number' };
}

export function bool(about: SettingAbout): Setting<boolean> {
  return {
    ...about,
    kind: 'bool',
    schema: z.preprocess(booleanFromText, z.boolean()),
    default: false,
    allowed: 'true or false',
    valueName: 'true|false',
    choices: ['true', 'false'],
  };
}

export function bytes(
  about: SettingAbout,
  rules: Range & { default: number; allowed: string },
): Setting<number> {
  return {
    ...about,
    kind: 'bytes',
    schema: z.preprocess(bytesFromText, z.number().int().min(rules.min).max(rules.max)),
    default: rules.default,
    allowed: rules.allowed,
    valueName: 'size',
    unit: 'bytes',
  };
}

export function choice<const T extends string>(
  about: SettingAbout,
  rules: { values: readonly [T, ...T[]]; default: T; synonyms?: Readonly<Record<string, T>> },
): Setting<T> {
  const read = (raw: unknown): unknown => {
    if (typeof raw !== 'string') return raw;
    const word = raw.trim().toLowerCase();
    return rules.synonyms && Object.hasOwn(rules.synonyms, word) ? rules.synonyms[word] : word;
  };
  const words = [...rules.values, ...Object.keys(rules.synonyms ?? {})];
  return {
    ...about,
    kind: 'choice',
    schema: z.preprocess(read, z.enum(rules.values)),
    default: rules.default,
    allowed: `one of ${words.join(', ')}`,
    valueName: rules.values.join('|'),
    choices: rules.values,
  };
}
