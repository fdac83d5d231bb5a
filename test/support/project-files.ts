import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(__dirname, '..', '..');

/** What is made here and not kept, by its path from the root. */
const MADE = new Set(['node_modules', 'dist', 'coverage', '.git']);

export const readProjectFile = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Paths from the root, with slashes, of every file below `folder` that belongs to the project. */
export function projectFiles(folder = '.'): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (MADE.has(path)) return [];
    return entry.isDirectory() ? projectFiles(path) : [path];
  });
}

/** The documents that people read. */
export const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
] as const;
