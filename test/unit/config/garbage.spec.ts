import fc from 'fast-check';
import { parseCli } from '../../../src/config/cli.js';
import { readPluginPaths } from '../../../src/config/load-settings.js';
import { LEGACY_FLAGS } from '../../../src/config/legacy-flags.js';
import { envOf, FLAG_KEYS, flagOf, toSnake } from '../../../src/config/setting-names.js';
import { SettingsError } from '../../../src/config/settings-error.js';
import { SETTING_KEYS } from '../../../src/config/settings.schema.js';
import { load, STATIC } from './load.js';
import { anyText } from '../../support/any-text.js';

const word = fc.oneof(
  fc.string(),
  anyText(),
  fc.constantFrom(...FLAG_KEYS.map(flagOf), ...[...LEGACY_FLAGS.keys()].map((name) => `--${name}`)),
  fc.constantFrom(
    'static',
    'k8s',
    'session',
    'http://a',
    '1',
    '-1',
    '--',
    '-',
    '=',
    '--=',
    '--__proto__',
    '--no-port',
    'file',
  ),
);
const argv = fc.array(
  fc.oneof(
    word,
    fc.tuple(word, word).map(([a, b]) => `${a}=${b}`),
  ),
  { maxLength: 12 },
);
const env = fc.dictionary(
  fc.oneof(fc.constantFrom(...SETTING_KEYS.map(envOf)), fc.string()),
  fc.oneof(word, fc.constant(undefined)),
);
const fileKey = fc.oneof(
  fc.constantFrom(...FLAG_KEYS.map(toSnake), 'static_aliases', '__proto__'),
  fc.string(),
);
const content = fc.oneof(
  anyText(),
  fc.dictionary(fileKey, fc.oneof(fc.jsonValue({ maxDepth: 3 }), word)).map((value) => JSON.stringify(value)),
);

/** Settings or a SettingsError with problems of one line each; anything else fails the property. */
function settles(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const problem of error.problems) expect(problem).not.toMatch(/[\n\r\u2028]/);
  }
}

describe('garbage', () => {
  it('in flags, variables and files gives settings or a SettingsError', () => {
    fc.assert(
      fc.property(argv, env, content, content, (flags, variables, file, dynamic) => {
        const files = { file, dynamic };
        settles(() => load({ argv: flags, env: variables, files }));
        settles(() => load({ argv: [...STATIC, '--config', 'file'], files }));
        settles(() => load({ argv: [...STATIC, '--dynamic-config-json', 'dynamic'], files }));
        settles(() => load({ argv: ['--dynamic-config-yaml', 'dynamic'], env: variables, files }));
        readPluginPaths(flags, variables, () => file);
      }),
      { numRuns: 150 },
    );
  });

  it('in the settings of a plugin does too', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constantFrom(...SETTING_KEYS), fc.string()), fc.anything()),
        (settings) => settles(() => load({ argv: STATIC, pluginSettings: settings })),
      ),
      { numRuns: 150 },
    );
  });

  it('on the command line finds a command or is refused', () => {
    fc.assert(
      fc.property(argv, (flags) => void parseCli(flags, '1.2.3')),
      { numRuns: 200 },
    );
  });
});
