import { execFileSync } from 'node:child_process';
import { outerEnv } from '../../support/dockerfile.js';
import { projectFiles, readProjectFile, ROOT } from '../../support/project-files.js';

interface Packed {
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

interface Locked {
  readonly packages: Readonly<Record<string, { readonly resolved?: string }>>;
}

const isText = (text: string): boolean => !text.includes('\u0000');

describe('the package', () => {
  it('holds the program and its documents, nothing else', () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const out = execFileSync('npm', args, {
      cwd: ROOT,
      env: outerEnv(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const told = JSON.parse(out.toString()) as Packed[] | Record<string, Packed>;
    const paths = (Object.values(told)[0]?.files ?? []).map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'dist/main.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/page/page.js',
        'dist/page/api-docs.html',
        'dist/page/api-docs.js',
        'dist/page/licences.txt',
      ]),
    );
    expect(paths.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    const compiled = new Set(
      projectFiles('src').flatMap((path) => {
        const made = path.replace(/^src/, 'dist').replace(/\.ts$/, '');
        return path.endsWith('.ts') ? [`${made}.js`, `${made}.d.ts`] : [made];
      }),
    );
    // Nothing that no source stands for: no maps, no tests, no leftovers of files that are gone. What a page is bundled
    // into has no source of its name.
    const built = paths.filter((path) => path.startsWith('dist/') && !path.startsWith('dist/page/'));
    expect(built.filter((path) => !compiled.has(path))).toEqual([]);
    expect([...compiled].filter((path) => path.endsWith('.js') && !built.includes(path))).toEqual([]);
  });

  it('gives each production dependency its reason in SECURITY.md', () => {
    const { dependencies } = JSON.parse(readProjectFile('package.json')) as {
      dependencies: Record<string, string>;
    };
    const rows = [...readProjectFile('SECURITY.md').matchAll(/^\| `([^`]+)` \| .+ \|$/gm)].map(
      ([, name]) => name,
    );
    expect(new Set(rows)).toEqual(new Set(Object.keys(dependencies)));
  });

  it('has the version that CHANGELOG.md describes', () => {
    const { version } = JSON.parse(readProjectFile('package.json')) as { version: string };
    expect(readProjectFile('CHANGELOG.md')).toMatch(
      new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\]`, 'm'),
    );
  });

  it('carries the whole Apache License 2.0', () => {
    const license = readProjectFile('LICENSE');
    expect(license).toContain('Version 2.0, January 2004');
    expect(license).toContain('END OF TERMS AND CONDITIONS');
  });
});

describe('the repository', () => {
  const texts = projectFiles()
    .map((path): [string, string] => [path, readProjectFile(path)])
    .filter(([, text]) => isText(text));

  it('names folders beside it in .ci/run alone', () => {
    const beside = ['..', 'shared'].join('/');
    // A relative import of a folder of that name would be another matter; there is none.
    expect(texts.filter(([, text]) => text.includes(beside)).map(([path]) => path)).toEqual(['.ci/run']);
  });

  it('has a lock file that names no registry', () => {
    const { packages } = JSON.parse(readProjectFile('package-lock.json')) as Locked;
    expect(Object.values(packages).filter(({ resolved }) => resolved?.startsWith('http'))).toEqual([]);
  });
});
