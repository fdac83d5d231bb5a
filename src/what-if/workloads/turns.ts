import { drawLength, type Lengths } from '../../simulator/virtual/lengths.js';
import { exponential } from '../../simulator/virtual/seeded-random.js';
import type { Turn } from './conversation.js';

/** Tokens of a conversation, after which it has no further turn: the context of Llama 3.1 is 131,072. */
const LONGEST = 120_000;
/** Bound of a conversation, far above what the means give. */
const MOST_TURNS = 200;

/** Many short, few long; `median` tokens, `spread` is the deviation of the logarithm. */
export function lognormal(median: number, spread: number, most: number): Lengths {
  return { kind: 'lognormal', median, spread, least: 1, most };
}

export interface TurnLengths {
  /** Turns that every conversation has, and the mean of the exponential number on top. */
  readonly least: number;
  readonly meanMore: number;
  readonly first: Lengths;
  readonly next: Lengths;
  readonly output: Lengths;
  /** Mean of the exponential think time, seconds. */
  readonly think: number;
}

/** The turns of one conversation whose shared beginning has `shared` tokens. */
export function drawTurns(random: () => number, lengths: TurnLengths, shared: number): Turn[] {
  const count = Math.min(MOST_TURNS, lengths.least + Math.floor(exponential(random, lengths.meanMore)));
  const turns: Turn[] = [];
  let total = shared;
  for (let turn = 0; turn < count; turn++) {
    const prompt = drawLength(turn === 0 ? lengths.first : lengths.next, random);
    const output = drawLength(lengths.output, random);
    const think = turn === 0 ? 0 : exponential(random, lengths.think);
    total += prompt + output;
    if (turn > 0 && total > LONGEST) break;
    turns.push({ prompt, output, think });
  }
  return turns;
}

/** A conversation of one turn. */
export function drawSingle(random: () => number, prompt: Lengths, output: Lengths): Turn[] {
  return [{ prompt: drawLength(prompt, random), output: drawLength(output, random), think: 0 }];
}
