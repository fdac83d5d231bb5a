import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { RouterError } from '../core/errors.js';

/** The files of the page with their types; nothing else is read. */
const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'licences.txt': 'text/plain; charset=utf-8',
} as const;

export type PageFile = keyof typeof TYPES;

export const isPageFile = (name: string): name is PageFile => Object.hasOwn(TYPES, name);

export interface ReadPageFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Reads the files that `page/build.mjs` makes, each once. */
@Injectable()
export class PageFiles {
  readonly #read = new Map<PageFile, ReadPageFile>();

  /** @throws {RouterError} 503 when the page is not built, as with a compiler that writes no more than the program */
  async get(name: PageFile): Promise<ReadPageFile> {
    const known = this.#read.get(name);
    if (known) return known;
    const bytes = await readFile(new URL(`../../dist/page/${name}`, import.meta.url)).catch(() => {
      throw new RouterError(503, 'internal_error', 'The page is not built: run npm run build.');
    });
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const file = { type: TYPES[name], etag, bytes };
    this.#read.set(name, file);
    return file;
  }
}
