import { readFile } from 'node:fs/promises';
import { RouterError } from '../core/errors.js';
import { keptAnswer, type KeptAnswer } from './kept-answer.js';

/** What every page has. */
const SHARED = { 'icon.svg': 'image/svg+xml', 'licences.txt': 'text/plain; charset=utf-8' } as const;

/** Reads the files of one page that `page/build.mjs` makes, each once. */
export class PageFiles {
  readonly #types: ReadonlyMap<string, string>;
  readonly #read = new Map<string, KeptAnswer>();

  /** @param types content type by name of file; nothing else is read */
  constructor(types: Readonly<Record<string, string>>) {
    this.#types = new Map(Object.entries({ ...SHARED, ...types }));
  }

  /**
   * Null: the page has no such file.
   * @throws {RouterError} 503 when the page is not built, as with a compiler that writes no more than the program
   */
  async get(name: string): Promise<KeptAnswer | null> {
    const type = this.#types.get(name);
    if (type === undefined) return null;
    const known = this.#read.get(name);
    if (known) return known;
    const bytes = await readFile(new URL(`../../dist/page/${name}`, import.meta.url)).catch(() => {
      throw new RouterError(503, 'internal_error', 'The page is not built: run npm run build.');
    });
    const file = keptAnswer(type, bytes);
    this.#read.set(name, file);
    return file;
  }
}
