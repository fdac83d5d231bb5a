// Compiles the benchmark's C programs on demand, into the lab folder, again whenever a source is newer.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** This folder. */
export const HERE = dirname(fileURLToPath(import.meta.url));

/** The project's folder. */
export const ROOT = dirname(HERE);

/** Where peers are installed and results are kept: BENCH_LAB, or a folder of the user's cache. */
export const LAB = process.env.BENCH_LAB || join(homedir(), '.cache', 'vllm-router-bench');

/** Something that the benchmark needs is not there; ends it with exit code 2. */
export class Missing extends Error {}

const newer = (a, b) => !existsSync(b) || statSync(a).mtimeMs > statSync(b).mtimeMs;

/** Paths of the programs, compiled: `{ engine, load }`. Throws Missing without a C compiler. */
export function nativePrograms() {
  const folder = join(LAB, 'native');
  mkdirSync(folder, { recursive: true });
  const compiler = process.env.CC || 'cc';
  const built = ['engine', 'load'].map((name) => {
    const source = join(HERE, `${name}.c`);
    const program = join(folder, name);
    if (newer(source, program)) {
      const { status, error, stderr } = spawnSync(compiler, ['-O2', '-o', program, source], {
        encoding: 'utf8',
      });
      if (error)
        throw new Missing(
          `a C compiler is needed for the light engine and load (${compiler}: ${error.code}); CC names another one`,
        );
      if (status !== 0) throw new Error(`${compiler} failed on ${source}:\n${stderr}`);
    }
    return [name, program];
  });
  return Object.fromEntries(built);
}
