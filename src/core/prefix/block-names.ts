import type { Hash64 } from '../hash.js';

/** Length of a block: so many bytes of canonical text, about 64 tokens at 4 bytes each. */
export const BLOCK_BYTES = 256;
/** Length of a block where the client sent token ids. */
export const BLOCK_TOKENS = 64;
/** Both kinds of block are this many 32-bit words. */
export const BLOCK_WORDS = 64;
/** Blocks that are named at most, which are 131,072 tokens; what lies behind them counts in the size alone. */
export const MOST_BLOCKS = 2_048;

const FINAL_ROUNDS = 3;
/** Bytes of model and of cache salt that tell chains apart at most; reserved once, for any text to be a seed. */
const MOST_SEED_BYTES = 4_092;
const seedWords = new Int32Array((MOST_SEED_BYTES + 4) / 4);
const seedBytes = Buffer.from(seedWords.buffer);
const seedNames = new Float64Array(seedWords.length / BLOCK_WORDS);

/**
 * State of HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein 2012), four words. The hash is keyed:
 * who does not know the key cannot make two prompts whose names are equal, and so cannot make the router send
 * other people's requests to an engine that holds nothing of them.
 */
export type ChainState = Int32Array;

/**
 * The state in which the chain of a prompt begins.
 * @param key secret of this router, the same in all of its workers
 * @param parts what keeps equal prompts apart in an engine's cache: unit, model or adapter, cache salt
 */
export function chainSeed(key: Hash64, parts: readonly string[]): ChainState {
  const state = Int32Array.of(key.low, key.high ^ 0xee, key.low ^ 0x6c796765, key.high ^ 0x74656463);
  for (const part of parts) {
    seedBytes.fill(0);
    const written = seedBytes.write(part, 4, MOST_SEED_BYTES);
    // The length goes first, so that no two lists of parts give the same words.
    seedWords[0] = part.length;
    nameBlocks(state, seedWords, Math.ceil((written + 4) / BLOCK_BYTES), seedNames, 0);
  }
  return state;
}

/**
 * Names `count` blocks that lie at the begin of `words`, into `names` from place `at` on; `state` goes on to
 * their end. A name is 53 bits of the hash of all words since the seed.
 */
export function nameBlocks(
  state: ChainState,
  words: Int32Array,
  count: number,
  names: Float64Array,
  at: number,
): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let word = 0;
  for (let block = 0; block < count; block++) {
    for (const end = word + BLOCK_WORDS; word < end; word++) {
      const m = words[word]!;
      d ^= m;
      a = (a + b) | 0;
      b = ((b << 5) | (b >>> 27)) ^ a;
      a = (a << 16) | (a >>> 16);
      c = (c + d) | 0;
      d = ((d << 8) | (d >>> 24)) ^ c;
      a = (a + d) | 0;
      d = ((d << 7) | (d >>> 25)) ^ a;
      c = (c + b) | 0;
      b = ((b << 13) | (b >>> 19)) ^ c;
      c = (c << 16) | (c >>> 16);
      a ^= m;
    }
    names[at + block] = finish(a, b, c ^ 0xee, d);
  }
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
}

/** The closing rounds on a copy of the state: 32 bits after the first three, 21 more after three others. */
function finish(a: number, b: number, c: number, d: number): number {
  let low = 0;
  for (let round = 0; round < 2 * FINAL_ROUNDS; round++) {
    if (round === FINAL_ROUNDS) {
      low = (b ^ d) >>> 0;
      b ^= 0xdd;
    }
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
  }
  return ((b ^ d) & 0x1fffff) * 2 ** 32 + low;
}
