import { posix } from 'node:path';
import { projectFiles, readProjectFile } from '../support/project-files.js';

/**
 * Which rooms of `src` a room may import from; ARCHITECTURE.md draws the same. `core` imports from nothing
 * but itself. Files directly in `src` join the rooms and may import all of them.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core'],
  scheduling: [],
  security: ['config', 'core', 'scheduling'],
  upstream: ['config', 'core', 'scheduling', 'security'],
  discovery: ['config', 'core', 'security', 'upstream'],
  routing: ['config', 'core'],
  stats: ['config', 'core', 'scheduling', 'security', 'upstream'],
  'dynamic-config': ['config', 'core', 'scheduling'],
  decisions: ['config', 'core', 'metrics'],
  metrics: ['config', 'core', 'dynamic-config/reload-listener.ts', 'stats'],
  health: ['config', 'core', 'metrics', 'scheduling', 'security', 'stats', 'upstream'],
  tracing: ['config', 'core', 'decisions', 'metrics'],
  pages: ['core'],
  proxy: [
    ...['config', 'core', 'decisions', 'discovery', 'health', 'metrics', 'routing', 'scheduling'],
    ...['security', 'stats', 'tracing', 'upstream'],
  ],
  operations: [
    ...['config', 'core', 'decisions', 'discovery', 'dynamic-config', 'health', 'metrics', 'proxy'],
    ...['routing', 'security', 'stats'],
  ],
  dashboard: [
    ...['config', 'core', 'decisions', 'discovery', 'dynamic-config', 'health', 'metrics', 'operations'],
    ...['pages', 'proxy', 'scheduling', 'security', 'stats'],
  ],
  'api-docs': ['config', 'core', 'decisions', 'pages', 'proxy', 'security'],
  workers: [
    ...['config', 'core', 'dashboard', 'decisions', 'discovery', 'dynamic-config', 'health', 'metrics'],
    ...['operations', 'proxy', 'routing', 'security', 'stats'],
    ...['listen-error.ts', 'logging.ts', 'plugins.ts', 'router.module.ts', 'serve.ts', 'v8-flags.ts'],
  ],
  simulator: ['config/settings-error.ts', 'core'],
  check: ['config', 'core', 'discovery', 'plugins.ts', 'security', 'upstream'],
  top: ['config/settings-error.ts', 'core'],
  'what-if': ['config', 'core', 'routing', 'simulator'],
  demo: ['config', 'core', 'serve.ts', 'simulator'],
};

const LONGEST = 250;
/** Names that say nothing of what a file holds. */
const EMPTY_NAMES = /(^|[-./])(utils?|common|helpers?|managers?|misc)([-./]|$)/;

interface Import {
  readonly file: string;
  readonly from: string;
  readonly typesOnly: boolean;
}

const files = projectFiles('src').filter((path) => path.endsWith('.ts'));
const texts = new Map(files.map((file) => [file, readProjectFile(file)]));

const STATEMENT =
  /\b(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

const imports: readonly Import[] = files.flatMap((file) =>
  [...(texts.get(file) ?? '').matchAll(STATEMENT)].map((found) => ({
    file,
    from: found[2] ?? found[3] ?? '',
    typesOnly: found[1] !== undefined,
  })),
);

/** The file of the project that a relative import means, below `src`. */
const target = ({ file, from }: Import): string =>
  posix
    .join(posix.dirname(file), from)
    .replace(/\.js$/, '.ts')
    .replace(/^src\//, '');
const relative = imports.filter(({ from }) => from.startsWith('.'));
const roomOf = (path: string): string | null => (path.includes('/') ? (path.split('/')[0] ?? null) : null);
const told = (found: Import): string => `${found.file} imports ${found.from}`;

describe('the shape of src', () => {
  it('is read here as it is', () => {
    expect(relative.length).toBeGreaterThan(files.length);
    expect(relative.filter((one) => !texts.has(`src/${target(one)}`)).map(told)).toEqual([]);
  });

  it('has the rooms that are named here', () => {
    const rooms = new Set(
      files.map((file) => roomOf(file.replace(/^src\//, ''))).filter((room) => room !== null),
    );
    expect([...rooms].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it('lets imports go between rooms only where data flows', () => {
    const wrong = relative.filter((one) => {
      const [room, to] = [roomOf(one.file.replace(/^src\//, '')), target(one)];
      if (room === null || room === roomOf(to)) return false;
      return !(MAY_IMPORT[room] ?? []).some((allowed) => to === allowed || roomOf(to) === allowed);
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('keeps core and the model of an engine free of frameworks and of input and output', () => {
    const pure = /^src\/(core|simulator\/(model|virtual|metrics)|what-if\/workloads)\//;
    const outside = imports.filter(({ file, from }) => pure.test(file) && !from.startsWith('.'));
    expect(outside.map(told)).toEqual([]);
    const ambient = /\b(Date\.now|performance\.now|Math\.random|process\.|setTimeout|setInterval|fetch\()/;
    const code = (file: string): string => (texts.get(file) ?? '').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(files.filter((file) => pure.test(file) && ambient.test(code(file)))).toEqual([]);
  });

  it('loads the Kubernetes client, OpenTelemetry, the demo, the simulator and what-if on demand alone', () => {
    const eager = imports.filter(({ file, from, typesOnly }) => {
      const client = from === '@kubernetes/client-node';
      const traces = /^@opentelemetry\/|\/sdk\//.test(from) && !file.startsWith('src/tracing/sdk/');
      const demo =
        /\/(demo|simulator|what-if)\//.test(from) && !/^src\/(demo|simulator|what-if)\//.test(file);
      const onDemand = (texts.get(file) ?? '').includes(`import('${from}')`);
      return (client || traces || demo) && !typesOnly && !onDemand;
    });
    expect(eager.map(told)).toEqual([]);
  });

  it('has no circle of imports between files', () => {
    const next = new Map<string, string[]>();
    for (const one of relative.filter(({ typesOnly }) => !typesOnly)) {
      next.set(one.file, [...(next.get(one.file) ?? []), `src/${target(one)}`]);
    }
    expect(circlesOf(next)).toEqual([]);
  });

  it(`has no file over ${LONGEST} lines`, () => {
    const long = [...texts].map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }));
    expect(long.filter(({ lines }) => lines > LONGEST)).toEqual([]);
  });

  it('names files for what they hold, in kebab case', () => {
    expect(files.filter((file) => EMPTY_NAMES.test(file))).toEqual([]);
    expect(files.filter((file) => !/^[a-z0-9./-]+\.ts$/.test(file))).toEqual([]);
  });

  it('reads the environment in one place', () => {
    const reads = files.filter((file) => /\bprocess\.env\b/.test(texts.get(file) ?? ''));
    const allowed = (file: string): boolean =>
      file === 'src/main.ts' || file.startsWith('src/demo/') || file.includes('/kubernetes/');
    expect(reads.filter((file) => !allowed(file))).toEqual([]);
  });
});

/** The circles in a graph of imports, each as the files on it. */
function circlesOf(next: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(' -> '));
    if (at >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return circles;
}
