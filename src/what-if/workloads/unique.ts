import { conversations, type Draw } from './conversations.js';
import { drawSingle, lognormal } from './turns.js';
import type { Workload } from './workload.js';

const NONE = new Int32Array(0);

/** A request that shares nothing with any other. */
export const drawUnique: Draw = (random, index) => ({
  session: `unique-${index}`,
  shared: NONE,
  turns: drawSingle(random, lognormal(1000, 1.1, 32_000), lognormal(130, 0.9, 4000)),
});

/** Nothing to find in a cache: only load tells engines apart. */
export const unique: Workload = {
  name: 'unique',
  description: 'prompts that share nothing; 1,000 in, 130 out (medians)',
  rate: 80,
  begin: (seed, rate) => conversations(seed, rate, drawUnique),
};
