import { hashText } from '../../core/hash.js';

// Looked up once: inside a module of jest each use of a global costs more than the multiplication.
const { imul } = Math;

/**
 * Names the full blocks of one sequence so that a block's name says all tokens up to its end: vLLM chains the
 * hash of the parent block, the tokens and, in the first block, adapter and cache salt. Names are 53-bit
 * numbers; among a million blocks two chance to be equal once in 9,000 engines.
 */
export class HashChain {
  #high: number;
  #low: number;

  /** @param cacheKey what keeps equal tokens apart: model, adapter, cache salt */
  constructor(cacheKey: string) {
    const { high, low } = hashText(cacheKey);
    this.#high = high;
    this.#low = low;
  }

  /** The name of the next block, which holds `size` tokens from `from` on. */
  next(tokens: Int32Array, from: number, size: number): number {
    let high = this.#high | 0;
    let low = this.#low | 0;
    for (let at = from; at < from + size; at++) {
      const token = tokens[at] as number;
      low = imul(low ^ token, 0x85ebca6b);
      low ^= low >>> 13;
      high = imul((high << 7) ^ (high >>> 25) ^ token, 0xc2b2ae35);
    }
    low = imul(low ^ (low >>> 16) ^ high, 0x9e3779b1);
    high = imul(high ^ (high >>> 15) ^ low, 0x7feb352d);
    this.#high = high ^ (high >>> 16);
    this.#low = low ^ (low >>> 14);
    return (this.#high & 0x1fffff) * 2 ** 32 + (this.#low >>> 0);
  }
}
