import fc from 'fast-check';
import { nextSettings } from '../dist/config/dynamic-file.js';
import { loadSettings } from '../dist/config/load-settings.js';
import { envOf, FLAG_KEYS, flagOf, toSnake } from '../dist/config/setting-names.js';
import { SettingsError } from '../dist/config/settings-error.js';
import { SETTING_KEYS } from '../dist/config/settings.schema.js';
import { anyText, jsonWith, must, oddKey } from './texts.mjs';

const STATIC = [
  '--service-discovery',
  'static',
  '--static-backends',
  'http://a',
  '--static-models',
  'm',
  '--routing-logic',
  'roundrobin',
];

const word = fc.oneof(
  fc.constantFrom(
    'static',
    'k8s',
    'session',
    'roundrobin',
    'http://a',
    'http://a,http://b',
    'm,n',
    '0',
    '1',
    '-1',
    '1e9',
    '10MiB',
    'true',
    'no',
    '--',
    '=',
    '*',
    '/v1',
    '::1/128',
  ),
  fc.double().map(String),
  anyText(20),
);
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...FLAG_KEYS.map(toSnake), 'static_aliases', 'config') },
  { weight: 1, arbitrary: oddKey },
  { weight: 1, arbitrary: anyText(10) },
);
const value = fc.oneof(
  { weight: 4, arbitrary: word },
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(word, { maxLength: 3 }),
  jsonWith(['a', 'b'], 2),
);
const object = fc.array(fc.tuple(key, value), { maxLength: 8 });
const YAML_BITS = [
  'a: &a [*a]\n',
  '&a a: *a\n',
  '? - x\n',
  '!!js/function x\n',
  '<<: {}\n',
  '- - -\n',
  '%YAML 9\n',
  '---\n',
  '...\n',
  '|\n',
  '\t',
  '"',
  'x: !!binary zz\n',
  '{',
  '[',
  'a: *x\n',
];
const text = fc.oneof(
  {
    weight: 5,
    arbitrary: object.map(
      (entries) =>
        `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`).join(',')}}`,
    ),
  },
  {
    weight: 4,
    arbitrary: object.map((entries) =>
      entries.map(([name, one]) => `${name}: ${JSON.stringify(one)}\n`).join(''),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...YAML_BITS), anyText(12)), { maxLength: 12 })
      .map((all) => all.join('')),
  },
  { weight: 1, arbitrary: anyText(200) },
);

/** Runs what may refuse; true when it did not. Any other error fails the property. */
function settles(run) {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    must(error.problems.length > 0, 'refused without a problem');
    for (const problem of error.problems)
      must(!/[\n\r\u2028]/.test(problem), `a problem of two lines: ${problem}`);
    return false;
  }
}

const argv = fc.array(
  fc.oneof(
    fc.constantFrom(...FLAG_KEYS.map(flagOf)),
    word,
    fc.tuple(fc.constantFrom(...FLAG_KEYS.map(flagOf)), word).map(([flag, one]) => `${flag}=${one}`),
  ),
  { maxLength: 8 },
);
const env = fc.dictionary(fc.constantFrom(...SETTING_KEYS.map(envOf)), word, { maxKeys: 6 });

export function config() {
  const property = fc.property(
    argv,
    env,
    text,
    fc.constantFrom('a.json', 'a.yaml'),
    fc.boolean(),
    (flags, variables, content, file, complete) => {
      settles(() =>
        loadSettings({
          argv: [...(complete ? STATIC : []), ...flags, '--config', file],
          env: variables,
          readFile: () => content,
        }),
      );
    },
  );
  return { property };
}

export function dynamic() {
  const { startup } = loadSettings({ argv: STATIC, env: {}, readFile: () => '' });
  const property = fc.property(text, fc.constantFrom('json', 'yaml'), (content, format) => {
    settles(() => nextSettings(content, format, startup));
  });
  return { property };
}
