import { textOf } from './conversation.js';
import { conversations } from './conversations.js';
import { drawSingle, lognormal } from './turns.js';
import type { Workload } from './workload.js';

const NONE = new Int32Array(0);

/** One prefix that is hotter than all others together, and fits every engine. */
export const hot: Workload = {
  name: 'hot',
  description: '80 % of the requests share one prefix of 4,000 tokens; 300 in, 130 out (medians)',
  rate: 60,
  begin(seed, rate) {
    const prefix = textOf(0x686f74, 4000);
    return conversations(seed, rate, (random, index) => ({
      session: `hot-${index}`,
      shared: random() < 0.8 ? prefix : NONE,
      turns: drawSingle(random, lognormal(300, 1, 8000), lognormal(130, 0.9, 4000)),
    }));
  },
};
