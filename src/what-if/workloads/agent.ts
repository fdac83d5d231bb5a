import { textOf } from './conversation.js';
import { conversations, type Draw } from './conversations.js';
import { drawTurns, lognormal, type TurnLengths } from './turns.js';
import type { Workload } from './workload.js';

const PREAMBLES = 5;

const LENGTHS: TurnLengths = {
  least: 4,
  meanMore: 12,
  first: lognormal(4000, 1, 16_000),
  next: lognormal(700, 1.1, 8000),
  output: lognormal(110, 0.9, 4000),
  think: 3,
};

/** Draws agents, each with one of five lists of tools, 6,000 tokens long. */
export function drawAgent(): Draw {
  const preambles = Array.from({ length: PREAMBLES }, (_, which) => textOf(0x61670000 + which, 6000));
  return (random, index) => {
    const shared = preambles[Math.floor(random() * PREAMBLES)] as Int32Array;
    return { session: `agent-${index}`, shared, turns: drawTurns(random, LENGTHS, shared.length) };
  };
}

/** Programs that call tools: long transcripts, short answers, short pauses. */
export const agent: Workload = {
  name: 'agent',
  description:
    '15.5 turns on average, 3 s apart, under one of 5 preambles of 6,000 tokens; 4,000 in, then 700, 110 out (medians)',
  rate: 2,
  begin: (seed, rate) => conversations(seed, rate, drawAgent()),
};
