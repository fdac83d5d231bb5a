import { agent } from './agent.js';
import { b2b } from './b2b.js';
import { chat } from './chat.js';
import { decodeHeavy } from './decode-heavy.js';
import { hot } from './hot.js';
import { mix } from './mix.js';
import { unique } from './unique.js';
import type { Workload } from './workload.js';

/** The workloads that policies are compared on. */
export const WORKLOADS: readonly Workload[] = [b2b, chat, hot, agent, mix, unique, decodeHeavy];
