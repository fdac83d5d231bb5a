import { hash, timingSafeEqual } from 'node:crypto';
import { bearerKey, headerKey } from '../core/access/credentials.js';
import type { HashedKey } from '../core/access/key-file.js';
import type { RawHeaders } from '../core/headers.js';

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer');

/** The SHA-256 of a key in hexadecimal, as files of keys hold it. */
export const hashKey = (key: string): string => hash('sha256', key, 'hex');

/** Words of 32 bits in a SHA-256. */
const WORDS = 8;

/**
 * Keys by their SHA-256. A key that comes is hashed, and the hash compared with all of them, word by word and to the end:
 * how long that takes tells neither which key was near, nor whose it was. What is equal is compared once more in constant
 * time.
 */
export class HashedKeys {
  readonly #names: readonly string[];
  readonly #digests: readonly Buffer[];
  /** All digests behind each other. */
  readonly #words: Int32Array;

  constructor(keys: readonly HashedKey[]) {
    this.#names = keys.map(({ name }) => name);
    this.#digests = keys.map((key) => Buffer.from(key.hash, 'hex'));
    this.#words = Int32Array.from(this.#digests.flatMap(wordsOf));
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
    const given = wordsOf(digest);
    const words = this.#words;
    let found = -1;
    for (let at = 0; at < words.length; at += WORDS) {
      let different = 0;
      for (let word = 0; word < WORDS; word++) different |= words[at + word]! ^ given[word]!;
      found = different === 0 ? at / WORDS : found;
    }
    return found >= 0 && timingSafeEqual(digest, this.#digests[found]!) ? this.#names[found]! : null;
  }
}

const wordsOf = (digest: Buffer): number[] =>
  Array.from({ length: WORDS }, (_, word) => digest.readInt32LE(4 * word));
