import { conversations } from './conversations.js';
import { drawSingle } from './turns.js';
import type { Workload } from './workload.js';

const NONE = new Int32Array(0);

/** Short prompts and long answers: the KV cache fills with what is generated. */
export const decodeHeavy: Workload = {
  name: 'decode-heavy',
  description: 'prompts that share nothing, 250 in, 1,500 out',
  rate: 20,
  begin: (seed, rate) =>
    conversations(seed, rate, (random, index) => ({
      session: `decode-${index}`,
      shared: NONE,
      turns: drawSingle(random, { kind: 'fixed', tokens: 250 }, { kind: 'fixed', tokens: 1500 }),
    })),
};
