/** 64 bits as two unsigned 32-bit halves: JavaScript numbers hold 53, and BigInt is slow. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/**
 * A hash of `text` for spreading, not for security. The same in every process and release: sessions
 * stay where they are across router replicas and restarts.
 */
export function hashText(text: string): Hash64 {
  let high = 0x243f6a88;
  let low = 0x85a308d3;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return stir(high, low ^ text.length);
}

/** A hash of two hashes; swapping them gives another one. */
export function combine(a: Hash64, b: Hash64): Hash64 {
  return stir(a.high ^ Math.imul(b.low, 0x9e3779b1), a.low ^ Math.imul(b.high, 0x7feb352d));
}

/** Every bit of the input changes about half of the output's. */
function stir(high: number, low: number): Hash64 {
  const first = avalanche(low ^ Math.imul(high, 0x27d4eb2f));
  const second = avalanche(high ^ first);
  return { high: second >>> 0, low: (first ^ Math.imul(second, 0x165667b1)) >>> 0 };
}

// The 32-bit finaliser of MurmurHash3.
function avalanche(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
