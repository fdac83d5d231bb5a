import { hash, timingSafeEqual } from 'node:crypto';
import { bearerKey, headerKey } from '../core/access/credentials.js';
import type { HashedKey } from '../core/access/key-file.js';
import type { RawHeaders } from '../core/headers.js';

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer');

/** The SHA-256 of a key in hexadecimal, as files of keys hold it. */
export const hashKey = (key: string): string => hash('sha256', key, 'hex');

/**
 * Keys by their SHA-256. A key that comes is hashed, and the hash compared with all of them, each in constant time: how
 * long that takes tells neither which key was near, nor whose it was.
 */
export class HashedKeys {
  readonly #names: readonly string[];
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly HashedKey[]) {
    this.#names = keys.map(({ name }) => name);
    this.#digests = keys.map((key) => Buffer.from(key.hash, 'hex'));
  }

  /** The name of the key in `Authorization: Bearer`, else of the one in `x-api-key`; null when neither is known. */
  nameIn(headers: RawHeaders): string | null {
    const bearer = bearerKey(headers);
    const name = bearer === null ? null : this.#nameOf(bearer);
    if (name !== null) return name;
    const other = headerKey(headers);
    return other === null ? null : this.#nameOf(other);
  }

  #nameOf(key: string): string | null {
    const digest = digestOf(key);
    let found: string | null = null;
    for (let i = 0; i < this.#digests.length; i++) {
      if (timingSafeEqual(digest, this.#digests[i]!)) found = this.#names[i]!;
    }
    return found;
  }
}
