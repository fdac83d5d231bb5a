// Installs what production needs, as the image does, into a folder of its own, and says what it takes on disk.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Missing } from './figures.mjs';
import { atEnd, ROOT } from './processes.mjs';

/** Bytes on disk (whole blocks, as `du` counts them) of a file or folder; links count for themselves. */
export function diskBytes(path) {
  const stat = lstatSync(path);
  let bytes = stat.blocks * 512;
  if (stat.isDirectory()) for (const name of readdirSync(path)) bytes += diskBytes(join(path, name));
  return bytes;
}

/** The packages of a production install: `{ folder, lock, sizes }`, sizes in bytes by their paths in the lock file. */
export function installForProduction() {
  const folder = mkdtempSync(join(tmpdir(), 'router-production-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name));
  }
  const args = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Missing(`npm ci --omit=dev failed:\n${stderr ?? ''}`);
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const sizes = new Map();
  for (const path of Object.keys(lock)) {
    if (path === '' || !existsSync(join(folder, path))) continue;
    // A package's own nested packages are entries of their own.
    const nested = join(folder, path, 'node_modules');
    const own = diskBytes(join(folder, path)) - (existsSync(nested) ? diskBytes(nested) : 0);
    sizes.set(path, own);
  }
  return { folder, lock, sizes };
}

/** Path in the lock file of what `name` resolves to for the package at `from`; undefined when it is not installed. */
function resolve(sizes, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (sizes.has(path)) return path;
    if (at === '') return undefined;
  }
}

/** Paths of a direct dependency and of all that it needs. */
function closure({ lock, sizes }, name) {
  const found = new Set();
  const visit = (from, wanted) => {
    const path = resolve(sizes, from, wanted);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {} } = lock[path];
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(path, next);
  };
  visit('', name);
  return found;
}

/**
 * For each direct dependency: its own bytes, those of all that it brings, and of these what no other direct
 * dependency needs, so what would go with it.
 */
export function directDependencies(install) {
  const names = Object.keys(install.lock[''].dependencies);
  const closures = new Map(names.map((name) => [name, closure(install, name)]));
  const bytes = (paths) => [...paths].reduce((sum, path) => sum + install.sizes.get(path), 0);
  return names.map((name) => {
    const all = closures.get(name);
    const others = new Set(names.filter((other) => other !== name).flatMap((o) => [...closures.get(o)]));
    return {
      name,
      own: install.sizes.get(`node_modules/${name}`),
      packages: all.size,
      whole: bytes(all),
      alone: bytes([...all].filter((path) => !others.has(path))),
    };
  });
}
