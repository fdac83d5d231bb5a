import { textOf } from './conversation.js';
import { conversations, type Draw } from './conversations.js';
import { drawTurns, lognormal, type TurnLengths } from './turns.js';
import type { Workload } from './workload.js';

const LENGTHS: TurnLengths = {
  least: 1,
  meanMore: 4,
  first: lognormal(160, 1, 8000),
  next: lognormal(160, 1, 8000),
  output: lognormal(220, 0.8, 4000),
  think: 15,
};

/** Draws chats under one system prompt of 512 tokens. */
export function drawChat(): Draw {
  const shared = textOf(0x63686174, 512);
  return (random, index) => ({
    session: `chat-${index}`,
    shared,
    turns: drawTurns(random, LENGTHS, shared.length),
  });
}

/** People who talk with one assistant. */
export const chat: Workload = {
  name: 'chat',
  description:
    '4.5 turns on average, 15 s apart, under one system prompt of 512 tokens; 160 in, 220 out (medians)',
  rate: 24,
  begin: (seed, rate) => conversations(seed, rate, drawChat()),
};
