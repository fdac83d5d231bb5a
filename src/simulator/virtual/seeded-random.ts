/**
 * Numbers from 0 to below 1 that are the same for the same seed on every machine: a 32-bit counter stirred by
 * the finaliser of MurmurHash3. For simulations, not for secrets; the sequence repeats after 2^32 numbers.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Exponentially distributed with that mean: the gaps of a Poisson process. */
export function exponential(random: () => number, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** Normally distributed with mean 0 and deviation 1, by Box and Muller's method. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
