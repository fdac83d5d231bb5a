import { existsSync, statSync } from 'node:fs';
import { posix, join } from 'node:path';
import { LEGACY_FLAGS } from '../../../src/config/legacy-flags.js';
import { displayDefault } from '../../../src/config/setting-display.js';
import { FLAG_KEYS, flagOf } from '../../../src/config/setting-names.js';
import { ENGINE_FLAGS } from '../../../src/simulator/engine-flags.js';
import { TOP_FLAGS } from '../../../src/top/top-arguments.js';
import { SIMULATE_FLAGS } from '../../../src/what-if/simulate/simulate-flags.js';
import { rowsBelow } from '../../support/page-tables.js';
import { DOCUMENTS, projectFiles, readProjectFile, ROOT } from '../../support/project-files.js';

/** All that `/metrics` can show but for the figures of the process: strategies name theirs without the prefix. */
const METRICS: ReadonlySet<string> = new Set(
  projectFiles('src').flatMap((path) => {
    const figures = path.endsWith('-figures.ts') && path.startsWith('src/routing/');
    const shown = figures ? /'([a-z]+(?:_[a-z]+)+)'/g : /'((?:vllm:|vllm_router_)[a-z_]+)'/g;
    if (!figures && !/^src\/(metrics|workers)\//.test(path)) return [];
    return [...readProjectFile(path).matchAll(shown)].map(([, name = '']) =>
      figures ? `vllm_router_${name}` : name,
    );
  }),
);

const documents = [
  ...DOCUMENTS,
  ...['docs', 'examples'].flatMap((folder) => projectFiles(folder).filter((path) => path.endsWith('.md'))),
];
const withoutCode = (text: string): string => text.replace(/```[\s\S]*?```/g, '');

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-');

const anchorsOf = (path: string): string[] =>
  [...withoutCode(readProjectFile(path)).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  );

/** A page of docs/migration/ without the first cells of its tables, which name what is another program's. */
const withoutForeignCells = (document: string, text: string): string =>
  document.startsWith('docs/migration/') ? text.replace(/^\|[^|]*\|/gm, '|') : text;

describe.each(documents)('%s', (document) => {
  const text = withoutForeignCells(document, readProjectFile(document));

  it('links to what is there', () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? document : posix.join(posix.dirname(document), path);
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  it('names files and folders of the project that are there', () => {
    const named = /`((?:src|test|scripts|bench|docs|examples|k8s|docker|show|\.ci|\.github)\/[\w./-]*)`/g;
    const paths = [...text.matchAll(named)].map(([, path = '']) => path);
    const wrong = paths.filter((path) => {
      const there = statSync(join(ROOT, path), { throwIfNoEntry: false });
      return there === undefined || (path.endsWith('/') && !there.isDirectory());
    });
    expect(wrong).toEqual([]);
  });

  it('names flags that exist', () => {
    const commands = [
      ...Object.keys(ENGINE_FLAGS),
      ...Object.keys(SIMULATE_FLAGS),
      ...Object.keys(TOP_FLAGS),
    ].map((name) => `--${name}`);
    const legacy = [...LEGACY_FLAGS.keys()].map((name) => `--${name}`);
    const known = new Set([...FLAG_KEYS.map(flagOf), ...legacy, ...commands]);
    // Flags of other programs: npm, docker, git, kubectl, helm, systemctl, du, vLLM, and the commands of ours that take some.
    const others = new Set(
      '--flag --ignore-scripts --install-links --omit --rm --help --version --build-arg --once --speed --json --runs --write --quick --only --ours-dir --minutes --seconds --seed --verbose --stream-interval --build --namespace --set --now --total --otlp-traces-endpoint --quiet --storage --web --data-urlencode'.split(
        ' ',
      ),
    );
    const flags = [...text.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([flag]) => flag);
    expect(flags.filter((flag) => !known.has(flag) && !others.has(flag))).toEqual([]);
  });

  it('writes commands with flags that they take', () => {
    const serve = [...FLAG_KEYS.map(flagOf), ...[...LEGACY_FLAGS.keys()].map((name) => `--${name}`)];
    const taken: Readonly<Record<string, readonly string[]>> = {
      '': serve,
      config: serve,
      engine: Object.keys(ENGINE_FLAGS).map((name) => `--${name}`),
      simulate: Object.keys(SIMULATE_FLAGS).map((name) => `--${name}`),
      demo: ['--port', '--speed', '--once'],
    };
    const blocks = [...text.matchAll(/```(?:bash|sh)\n([\s\S]*?)```/g)].map(([, block = '']) => block);
    const commands = blocks.flatMap((block) => [
      ...block.replace(/\\\n/g, ' ').matchAll(/(?:^|[|&] *)vllm-router(?: ([a-z-]+))?(.*)$/gm),
    ]);
    const wrong = commands.flatMap(([, command = '', rest = '']) =>
      // A comment behind the command is none of it.
      [...rest.replace(/ #.*/, '').matchAll(/ (--[a-z0-9-]+)/g)]
        .map(([, flag = '']) => flag)
        .filter(
          (flag) => !(taken[command] ?? [flag]).includes(flag) && flag !== '--help' && flag !== '--version',
        )
        .map((flag) => `vllm-router ${command} ${flag}`),
    );
    expect(wrong).toEqual([]);
  });

  it('names metrics that exist', () => {
    const source = projectFiles('src').map(readProjectFile).join('\n');
    const metrics = [...text.matchAll(/`((?:vllm:|vllm_router_)[a-z_]+)(?:\{[^`]*\})?`/g)].map(
      ([, name = '']) => name,
    );
    expect(metrics.filter((name) => !METRICS.has(name) && !source.includes(`'${name}'`))).toEqual([]);
  });

  it('says nothing of days before: that is for CHANGELOG.md', () => {
    const told = document === 'CHANGELOG.md' ? '' : withoutCode(text);
    expect(told.match(/\b(no longer|used to|previously|formerly)\b/gi) ?? []).toEqual([]);
  });
});

describe('the table of flags in README.md', () => {
  const rows = [...readProjectFile('README.md').matchAll(/^\| `(--[a-z0-9-]+)` \|(.*?)\|(.*?)\|$/gm)];
  const keyOf = (flag: string) => FLAG_KEYS.find((key) => flagOf(key) === flag);

  it('has the flags that people need first', () => {
    const flags = rows.map(([, flag]) => flag);
    expect(flags).toEqual(
      expect.arrayContaining([
        '--port',
        '--service-discovery',
        '--static-backends',
        '--routing-logic',
        '--session-key',
      ]),
    );
    expect(new Set(flags).size).toBe(flags.length);
  });

  it('tells their defaults', () => {
    const wrong = rows.filter(([, flag = '', preset = '']) => {
      const key = keyOf(flag);
      const told = preset.replaceAll('`', '').trim();
      return (
        key === undefined ||
        (told !== '' && told !== 'required' ? told !== displayDefault(key) : displayDefault(key) !== '')
      );
    });
    expect(wrong.map(([row]) => row)).toEqual([]);
  });
});

describe('docs/README.md', () => {
  it('lists every page', () => {
    const links = readProjectFile('docs/README.md').matchAll(/\]\(([\w/-]+\.md)\)/g);
    const listed = new Set([...links].map(([, link = '']) => `docs/${link}`));
    const pages = projectFiles('docs').filter((path) => path.endsWith('.md') && path !== 'docs/README.md');
    expect(pages.filter((page) => !listed.has(page))).toEqual([]);
  });
});

describe('docs/tuning.md', () => {
  it('tells the figures of docs/performance.md', () => {
    const page = readProjectFile('docs/tuning.md');
    const measured = readProjectFile('docs/performance.md');
    const told = (row: string): number =>
      Number(new RegExp(`^\\| ${row} \\| about ([\\d,]+) `, 'm').exec(page)?.[1]?.replace(',', ''));
    const ours = (heading: string): string[] =>
      rowsBelow(measured, heading).find(([router]) => router === 'ours') ?? [];
    const time = ours('Processor time');
    const wanted: readonly (readonly [string, string | undefined])[] = [
      ['requests of 1 KB, not streamed, on one core', time.at(-1)],
      ['processor time of a 1 KB request', time[1]],
      ['of a 32 KB request', time[3]],
      ['of a streamed chunk at the pace of engines', time[5]],
      ['memory of a process at rest', ours('Start and memory')[2]],
    ];
    // They are round, and the page that is measured anew differs by some percent each time.
    const off = wanted.filter(([row, figure]) => !(Math.abs(told(row) / Number(figure) - 1) < 0.25));
    expect(off).toEqual([]);
  });
});

describe('docs/metrics.md', () => {
  it('has every metric, once', () => {
    const rows = [...readProjectFile('docs/metrics.md').matchAll(/^\| `([a-z_:]+)` \|/gm)];
    expect(rows.map(([, name = '']) => name).sort()).toEqual([...METRICS].sort());
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readProjectFile('ARCHITECTURE.md');

  it('names every room of src', () => {
    const rooms = new Set(
      projectFiles('src')
        .map((path) => path.split('/').slice(0, 2))
        .filter((parts) => !parts[1]?.includes('.'))
        .map((parts) => parts.join('/')),
    );
    expect([...rooms].filter((room) => !text.includes(`\`${room}/\``))).toEqual([]);
  });

  it('quotes code as it stands', () => {
    // A block that begins with "// src/..." is a quotation of that file; one marked "(new)" is not there yet.
    const blocks = [...text.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];
    expect(blocks.length).toBeGreaterThan(0);
    const flat = (code: string): string => code.replace(/\s+/g, ' ').trim();
    const wrong = blocks.filter(([, path = '', code = '']) =>
      code
        .split(/^\s*\/\/ …$/m)
        .map(flat)
        .some((piece) => !flat(readProjectFile(path)).includes(piece)),
    );
    expect(wrong.map(([, path]) => path)).toEqual([]);
  });
});
