import { parseArgs, type ParseArgsConfig } from 'node:util';
import { itemsFromText, show } from './raw-values.js';
import { LEGACY_FLAGS, legacyWarning } from './legacy-flags.js';
import type { SettingLayer } from './setting-layer.js';
import { FLAG_KEYS, flagOf, KEY_BY_FLAG, nearestName, toKebab } from './setting-names.js';
import { settingOf, type SettingKey } from './settings.schema.js';

const OPTIONS: NonNullable<ParseArgsConfig['options']> = Object.fromEntries([
  ...FLAG_KEYS.map(
    (key) => [toKebab(key), { type: settingOf(key).kind === 'bool' ? 'boolean' : 'string' }] as const,
  ),
  ...[...LEGACY_FLAGS].map(
    ([name, form]) => [name, { type: form === 'switch' ? 'boolean' : 'string' }] as const,
  ),
]);

/**
 * Reads `--flag value`, `--flag=value` and switches. Every mistake is collected, none throws. The last
 * one of a repeated flag holds, except where values add up.
 */
export function readFlags(argv: readonly string[]): SettingLayer {
  const values = new Map<SettingKey, unknown>();
  const problems: string[] = [];
  const warnings = new Set<string>();

  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let unknownAt = -2;
  for (const token of tokens) {
    // The other letters of "-port", and the value of an unknown flag, are no mistakes of their own.
    if (token.index === unknownAt || (token.kind === 'positional' && token.index === unknownAt + 1)) continue;
    if (token.kind === 'positional') {
      problems.push(`unexpected argument ${show(token.value)}; see vllm-router --help`);
    }
    if (token.kind !== 'option') continue;

    const flag = token.rawName;
    const key = flag.startsWith('--') ? KEY_BY_FLAG.get(token.name) : undefined;
    const legacy = flag.startsWith('--') ? LEGACY_FLAGS.get(token.name) : undefined;
    const isSwitch = legacy === 'switch' || (key !== undefined && settingOf(key).kind === 'bool');
    // "--session-key --log-stats" is a forgotten value, not a session key of that name.
    const valueMissing = token.value === undefined || (!token.inlineValue && token.value.startsWith('--'));

    if (key === undefined && legacy === undefined) {
      unknownAt = token.index;
      problems.push(unknownFlag(argv[token.index] ?? flag));
    } else if (valueMissing && !isSwitch) {
      problems.push(`${flag} needs a value${key === undefined ? '' : `; give ${settingOf(key).allowed}`}`);
    } else if (key === undefined) warnings.add(legacyWarning(flag));
    else
      values.set(
        key,
        settingOf(key).repeatable ? added(values.get(key), token.value) : (token.value ?? true),
      );
  }
  return { origin: 'flag', values, nameOf: flagOf, problems, warnings: [...warnings] };
}

function added(before: unknown, raw: unknown): unknown[] {
  return [before ?? [], itemsFromText(raw)].flat();
}

function unknownFlag(argument: string): string {
  const flag = argument.split('=')[0] ?? argument;
  const near = nearestName(flag.replace(/^--?/, ''), KEY_BY_FLAG.keys());
  return `unknown flag ${show(flag)}; ${near === null ? 'see vllm-router --help' : `did you mean --${near}?`}`;
}
