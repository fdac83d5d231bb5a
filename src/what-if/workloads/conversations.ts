import { exponential, seededRandom } from '../../simulator/virtual/seeded-random.js';
import type { VirtualRequest, VirtualResult } from '../../simulator/virtual/virtual-request.js';
import { type ConversationPlan, Transcript } from './conversation.js';
import type { WorkloadRun } from './workload.js';

/** Turns that ids of requests have room for; a conversation has fewer. */
export const MOST_TURNS = 1024;

/** `cacheKey` of all requests: one model, no adapters, no salts. */
const MODEL = 'model';

/**
 * Draws a conversation; `random` is its own, so that it is the same whatever happened to the others. `index`
 * counts conversations from 0.
 */
export type Draw = (random: () => number, index: number) => ConversationPlan;

/**
 * New conversations come as a Poisson process, whether or not the engines keep up. Inside one the loop is
 * closed: the next turn comes its think time after the answer, and its prompt is the transcript with that
 * answer in it. A turn that fails ends its conversation, as a client does that gives up.
 *
 * It holds the conversations that have begun and not ended.
 *
 * @throws RangeError for a rate that is not above 0
 */
export function conversations(seed: number, rate: number, draw: Draw): WorkloadRun {
  if (!(rate > 0)) throw new RangeError(`the rate is ${rate}, not above 0`);
  const open = new Map<number, Conversation>();
  function* arrivals(): Generator<VirtualRequest, never, undefined> {
    const gaps = seededRandom(keyOf(seed, -1));
    let arrival = 0;
    for (let index = 0; ; index++) {
      arrival += exponential(gaps, 1 / rate);
      const conversation = new Conversation(seed, index, draw);
      if (conversation.turns > 1) open.set(index, conversation);
      yield conversation.request(0, arrival);
    }
  }
  return {
    arrivals: { [Symbol.iterator]: arrivals },
    follow: ({ request, outcome }: VirtualResult, now: number) => {
      const index = Math.floor(request.id / MOST_TURNS);
      const turn = (request.id % MOST_TURNS) + 1;
      const conversation = open.get(index);
      if (!conversation) return null;
      const goesOn = outcome === 'finished' && turn < conversation.turns;
      if (!goesOn || turn === conversation.turns - 1) open.delete(index);
      return goesOn ? conversation.request(turn, now) : null;
    },
  };
}

class Conversation {
  readonly #index: number;
  readonly #plan: ConversationPlan;
  readonly #transcript: Transcript;

  constructor(seed: number, index: number, draw: Draw) {
    this.#index = index;
    const key = keyOf(seed, index);
    this.#plan = draw(seededRandom(key), index);
    this.#transcript = new Transcript(this.#plan, key);
  }

  get turns(): number {
    return this.#plan.turns.length;
  }

  /** @param from seconds; the think time comes on top */
  request(turn: number, from: number): VirtualRequest {
    const { turns, shared, session } = this.#plan;
    const { output, think } = turns[turn] as ConversationPlan['turns'][number];
    const before = turns.slice(0, turn).reduce((sum, past) => sum + past.prompt + past.output, 0);
    const length = shared.length + before + (turns[turn]?.prompt ?? 0);
    const transcript = this.#transcript;
    return {
      id: this.#index * MOST_TURNS + turn,
      arrival: from + think,
      session,
      spec: {
        promptTokens: transcript.upTo(length),
        cacheKey: MODEL,
        adapter: null,
        maxTokens: output,
        outputToken: (at) => transcript.token(length + at),
      },
    };
  }
}

/** Seeds of streams and texts that have nothing to do with each other, for all pairs of numbers. */
function keyOf(seed: number, index: number): number {
  let mixed = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(index + 0x632be5ab, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0xc2b2ae35);
  return mixed ^ (mixed >>> 15);
}
