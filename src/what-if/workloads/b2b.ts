import { textOf } from './conversation.js';
import { conversations } from './conversations.js';
import { drawSingle } from './turns.js';
import type { Workload } from './workload.js';

const GROUPS = 300;

/** The set-up of llm-d's study of precise prefix caching: more shared text than one cache holds, not than all. */
export const b2b: Workload = {
  name: 'b2b',
  description: '300 groups, each with a prefix of 6,000 tokens; 1,200 of its own, 300 out',
  rate: 38,
  begin(seed, rate) {
    const prefixes = Array.from({ length: GROUPS }, (_, group) => textOf(~group, 6000));
    return conversations(seed, rate, (random) => {
      const group = Math.floor(random() * GROUPS);
      return {
        session: `group-${group}`,
        shared: prefixes[group] as Int32Array,
        turns: drawSingle(random, { kind: 'fixed', tokens: 1200 }, { kind: 'fixed', tokens: 300 }),
      };
    });
  },
};
