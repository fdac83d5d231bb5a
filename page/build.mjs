// Makes the files of the live page and of the page of the API: page/ and the libraries that they use, as dist/page/. Runs
// after the compiler, which empties dist.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The libraries whose code is in them. */
const LIBRARIES = ['preact', 'uplot'];

const source = new URL('./', import.meta.url);
const target = new URL('../dist/page/', import.meta.url);
const at = (base, name) => fileURLToPath(new URL(name, base));

await mkdir(target, { recursive: true });
await build({
  entryPoints: { page: at(source, 'main.tsx'), 'api-docs': at(source, 'api-docs/main.tsx') },
  outdir: at(target, '.'),
  bundle: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
});
for (const name of ['index.html', 'api-docs.html', 'icon.svg'])
  await copyFile(at(source, name), at(target, name));

const licences = LIBRARIES.map(async (name) => {
  const folder = new URL(`../node_modules/${name}/`, import.meta.url);
  const { version, license } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8'));
  return `${name} ${version} (${license})\n\n${(await readFile(new URL('LICENSE', folder), 'utf8')).trim()}\n`;
});
await writeFile(at(target, 'licences.txt'), (await Promise.all(licences)).join(`\n${'-'.repeat(78)}\n\n`));
