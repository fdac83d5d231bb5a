import { nextSettings } from '../../../src/config/dynamic-file.js';
import { readFlags } from '../../../src/config/flag-layer.js';
import { LEGACY_DYNAMIC_KEYS, LEGACY_FLAGS } from '../../../src/config/legacy-flags.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { displayDefault } from '../../../src/config/setting-display.js';
import { KEY_BY_FLAG } from '../../../src/config/setting-names.js';
import { readProjectFile } from '../../support/project-files.js';
import { namesIn, rowsBelow } from '../../support/page-tables.js';

const PAGE = readProjectFile('docs/migration/production-stack.md');

const load = (flags: string): ReturnType<typeof loadSettings> =>
  loadSettings({
    argv: `--service-discovery static --static-backends http://a:1 --session-key s ${flags}`.split(' '),
    env: {},
    readFile: () => '',
  });

describe('the table of flags in docs/migration/production-stack.md', () => {
  const rows = rowsBelow(PAGE, 'Flags').flatMap(([flags = '', preset = '', here = '']) =>
    namesIn(flags).map((flag) => ({ name: flag.slice(2), preset: preset.replaceAll('`', ''), here })),
  );
  const marked = (...words: string[]) => rows.filter(({ here }) => words.includes(here));

  it('marks each flag, once', () => {
    expect(rows.filter(({ here }) => !/^(same|differs|ignored)$/.test(here))).toEqual([]);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(50);
  });

  it('has every flag that is ignored, and no other as ignored', () => {
    expect(
      marked('ignored')
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...LEGACY_FLAGS.keys()].sort());
  });

  it('is how they are parsed', () => {
    const wrong = rows.filter(({ name, here }) => {
      const value = LEGACY_FLAGS.get(name) === 'switch' ? [] : ['1'];
      const { problems, warnings } = readFlags([`--${name}`, ...value]);
      const ignored = warnings.some((warning) => warning.startsWith(`--${name} `));
      // A switch of ours takes no value, which is then one too many.
      return problems.some((problem) => problem.includes('unknown flag')) || ignored !== (here === 'ignored');
    });
    expect(wrong).toEqual([]);
  });

  it('tells the defaults of those that are the same', () => {
    const wrong = marked('same').filter(
      ({ name, preset }) => displayDefault(KEY_BY_FLAG.get(name)!) !== preset,
    );
    expect(wrong).toEqual([]);
  });
});

describe('the table of routing logics in docs/migration/production-stack.md', () => {
  const rows = rowsBelow(PAGE, 'Routing logics').map(([value = '', here = '']) => ({
    value: value.replaceAll('`', ''),
    here,
  }));

  it.each(rows)('$value: $here', ({ value, here }) => {
    if (here === 'refused') expect(() => load(`--routing-logic ${value}`)).toThrow(/is not available/);
    else expect(load(`--routing-logic ${value}`).settings.routingLogic).toBe(value);
  });

  it('has those of production-stack', () => expect(rows).toHaveLength(7));
});

describe('the table of dynamic keys in docs/migration/production-stack.md', () => {
  const { startup } = load('--routing-logic roundrobin');
  const warningsOf = (more: object): readonly string[] =>
    nextSettings(
      JSON.stringify({ service_discovery: 'static', routing_logic: 'roundrobin', ...more }),
      'json',
      startup,
    ).warnings;
  const [required = [], inForce = [], ignored = []] = rowsBelow(PAGE, 'Dynamic file').map(
    ([keys = '', here = '']) => [...namesIn(keys), ...namesIn(here)],
  );

  it('requires those that it calls so', () =>
    expect(required).toEqual(['service_discovery', 'routing_logic']));

  it('puts in force those that it calls so', () => {
    const values: Record<string, unknown> = {
      k8s_port: 1,
      static_backends: 'http://a',
      k8s_service_discovery_type: 'pod-ip',
    };
    for (const key of inForce.filter((name) => name !== 'static_models')) {
      expect(warningsOf({ [key]: values[key] ?? 'a' })).toEqual([]);
    }
  });

  it('ignores those that it calls so', () => {
    expect(ignored.sort()).toEqual([...LEGACY_DYNAMIC_KEYS].sort());
    for (const key of ignored) expect(warningsOf({ [key]: '1' })).toHaveLength(1);
  });
});
