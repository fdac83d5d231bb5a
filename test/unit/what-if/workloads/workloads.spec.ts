import { createHash } from 'node:crypto';
import { PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { simulate } from '../../../../src/simulator/virtual/simulate.js';
import type { VirtualRequest, VirtualResult } from '../../../../src/simulator/virtual/virtual-request.js';
import { WORKLOADS } from '../../../../src/what-if/workloads/index.js';
import type { Workload } from '../../../../src/what-if/workloads/workload.js';

const named = (name: string): Workload => WORKLOADS.find((one) => one.name === name) as Workload;

/** The first `count` new conversations. */
function first(workload: Workload, count: number, seed = 1, rate = workload.rate): VirtualRequest[] {
  const requests: VirtualRequest[] = [];
  for (const request of workload.begin(seed, rate).arrivals) {
    requests.push(request);
    if (requests.length === count) break;
  }
  return requests;
}

const result = (request: VirtualRequest, end: number, outcome: VirtualResult['outcome'] = 'finished') => ({
  request,
  outcome,
  engine: 0,
  firstToken: end,
  end,
  tokens: request.spec.maxTokens,
  cachedTokens: 0,
  preemptions: 0,
});

/** All turns of each of the first conversations, each answered after 5 s. */
function conversationsOf(workload: Workload, count: number, seed = 1): VirtualRequest[][] {
  const { arrivals, follow } = workload.begin(seed, workload.rate);
  const all: VirtualRequest[][] = [];
  for (const begin of arrivals) {
    const turns: VirtualRequest[] = [];
    for (let turn: VirtualRequest | null | undefined = begin; turn;) {
      turns.push(turn);
      turn = follow?.(result(turn, turn.arrival + 5), turn.arrival + 5);
    }
    all.push(turns);
    if (all.length === count) break;
  }
  return all;
}

/** Tokens in a form that jest compares in no time. */
const textOf = (tokens: Int32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength))
    .digest('hex');

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const common = (a: Int32Array, b: Int32Array): number => {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
};

describe('the workloads', () => {
  it('are the seven, each with the rate of load 1', () => {
    expect(WORKLOADS.map(({ name, rate }) => [name, rate])).toEqual([
      ['b2b', 38],
      ['chat', 24],
      ['hot', 60],
      ['agent', 2],
      ['mix', 12],
      ['unique', 80],
      ['decode-heavy', 20],
    ]);
  });

  it.each(WORKLOADS)('$name: the same for the same seed, another for another', (workload) => {
    const [one, again, other] = [first(workload, 30), first(workload, 30), first(workload, 30, 2)];
    const told = (requests: readonly VirtualRequest[]) =>
      requests.map(({ id, arrival, session, spec: { promptTokens, maxTokens } }) => [
        ...[id, arrival, session, maxTokens],
        textOf(promptTokens),
      ]);
    expect(told(again)).toEqual(told(one));
    expect(told(other)).not.toEqual(told(one));
    expect(other.map(({ arrival }) => arrival)).not.toEqual(one.map(({ arrival }) => arrival));
  });

  it.each(WORKLOADS)('$name: another rate only stretches the time', (workload) => {
    const [slow, fast] = [first(workload, 20), first(workload, 20, 1, workload.rate * 2)];
    const texts = (requests: readonly VirtualRequest[]) =>
      requests.map(({ spec }) => textOf(spec.promptTokens));
    expect(texts(fast)).toEqual(texts(slow));
    slow.forEach(({ arrival }, at) => expect(fast[at]?.arrival).toBeCloseTo(arrival / 2, 9));
  });

  it.each(WORKLOADS)('$name: new conversations at its rate, with ids of their own', (workload) => {
    const requests = first(workload, 1000);
    const last = requests.at(-1) as VirtualRequest;
    expect(last.arrival * workload.rate).toBeGreaterThan(900);
    expect(last.arrival * workload.rate).toBeLessThan(1100);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1000);
  });

  it.each(['chat', 'agent', 'mix'])(
    '%s: each turn begins with the turns before and their answers',
    (name) => {
      for (const turns of conversationsOf(named(name), 40)) {
        turns.slice(1).forEach((turn, at) => {
          const before = turns[at] as VirtualRequest;
          const { promptTokens, maxTokens, outputToken } = before.spec;
          const answer = Int32Array.from({ length: maxTokens }, (_, index) => outputToken?.(index) ?? -1);
          const soFar = new Int32Array(promptTokens.length + answer.length);
          soFar.set(promptTokens);
          soFar.set(answer, promptTokens.length);
          expect(textOf(turn.spec.promptTokens.subarray(0, soFar.length))).toBe(textOf(soFar));
          expect(turn.spec.promptTokens.length).toBeGreaterThan(soFar.length);
          expect(turn.session).toBe(before.session);
          expect(turn.arrival).toBeGreaterThan(before.arrival + 5);
        });
      }
    },
  );

  it('end a conversation whose turn fails, and draw the rest of the others alike', () => {
    const { arrivals, follow } = named('agent').begin(3, 2);
    const [one, other] = arrivals as unknown as [VirtualRequest, VirtualRequest];
    expect(follow?.(result(one, 4, 'queue_full'), 4)).toBeNull();
    expect(follow?.(result(one, 5), 5)).toBeNull();
    const next = follow?.(result(other, 5), 5);
    const alone = conversationsOf(named('agent'), 2, 3)[1] as VirtualRequest[];
    expect(next && textOf(next.spec.promptTokens)).toBe(alone[1] && textOf(alone[1].spec.promptTokens));
    expect((next?.arrival ?? 0) - 5).toBeCloseTo((alone[1]?.arrival ?? 0) - (alone[0]?.arrival ?? 0) - 5, 9);
  });

  it.each(WORKLOADS)('$name: refuses a rate that is not above 0', (workload) => {
    expect(() => workload.begin(1, 0)).toThrow(RangeError);
    expect(() => workload.begin(1, NaN)).toThrow(RangeError);
  });
});

describe('the lengths of', () => {
  it('b2b: 6,000 in common inside a group, nothing outside it', () => {
    const requests = first(named('b2b'), 3000);
    expect(new Set(requests.map(({ session }) => session)).size).toBe(300);
    const [one] = requests as [VirtualRequest];
    for (const { session, spec } of requests.slice(1, 400)) {
      expect(spec.promptTokens).toHaveLength(7200);
      const shared = common(spec.promptTokens, one.spec.promptTokens);
      if (session === one.session) expect(shared).toBeGreaterThanOrEqual(6000);
      else expect(shared).toBeLessThan(16);
    }
    expect(new Set(requests.map(({ spec }) => spec.maxTokens))).toEqual(new Set([300]));
  });

  it('chat: one system prompt, 4.5 turns, 15 s to think', () => {
    const chats = conversationsOf(named('chat'), 1000);
    const turns = chats.flat();
    const [one] = turns as [VirtualRequest];
    expect(turns.every(({ spec }) => common(spec.promptTokens, one.spec.promptTokens) >= 512)).toBe(true);
    expect(mean(chats.map(({ length }) => length))).toBeCloseTo(4.5, 0);
    expect(median(chats.map(([begin]) => (begin?.spec.promptTokens.length ?? 0) - 512))).toBeCloseTo(160, -2);
    expect(median(turns.map(({ spec }) => spec.maxTokens)) / 220).toBeCloseTo(1, 1);
    const thinks = chats.flatMap((all) =>
      all.slice(1).map(({ arrival }, at) => arrival - (all[at]?.arrival ?? 0) - 5),
    );
    expect(mean(thinks) / 15).toBeCloseTo(1, 1);
  });

  it('agent: five preambles, 15.5 turns, long transcripts', () => {
    const agents = conversationsOf(named('agent'), 300);
    const heads = agents.map(([begin]) => begin && textOf(begin.spec.promptTokens.subarray(0, 6000)));
    expect(new Set(heads).size).toBe(5);
    expect(mean(agents.map(({ length }) => length)) / 15.5).toBeCloseTo(1, 1);
    expect(Math.min(...agents.map(({ length }) => length))).toBe(4);
    expect(mean(agents.flat().map(({ spec }) => spec.promptTokens.length))).toBeGreaterThan(20_000);
  });

  it('hot: four of five begin alike', () => {
    const requests = first(named('hot'), 2000);
    const prefix = requests.map(({ spec }) => textOf(spec.promptTokens.subarray(0, 4000)));
    const counts = new Map<string, number>();
    for (const text of prefix) counts.set(text, (counts.get(text) ?? 0) + 1);
    expect(Math.max(...counts.values()) / 2000).toBeCloseTo(0.8, 1);
  });

  it('unique and decode-heavy: nothing in common', () => {
    for (const name of ['unique', 'decode-heavy']) {
      const requests = first(named(name), 200);
      const heads = requests.map(({ spec }) => spec.promptTokens.subarray(0, 8).join());
      expect(new Set(heads).size).toBe(200);
    }
    const [one] = first(named('decode-heavy'), 1) as [VirtualRequest];
    expect([one.spec.promptTokens.length, one.spec.maxTokens]).toEqual([250, 1500]);
  });

  it('mix: chats, agents and single prompts', () => {
    const kinds = first(named('mix'), 2000).map(({ session }) => session.split('-')[0]);
    const share = (kind: string): number => kinds.filter((one) => one === kind).length / kinds.length;
    expect([share('chat'), share('agent'), share('unique')].map((one) => one.toFixed(1))).toEqual([
      ...['0.4', '0.1', '0.5'],
    ]);
  });
});

describe('a conversation in a simulation', () => {
  it('finds its transcript in the cache of the engine that had it, answers included', () => {
    const { arrivals, follow } = named('agent').begin(1, 0.02);
    const { results } = simulate({
      engines: [PROFILES['h100-8b']],
      arrivals,
      ...(follow && { follow }),
      choose: () => 0,
      until: 200,
    });
    const later = results.filter(({ request }) => request.id % 1024 > 0);
    expect(later.length).toBeGreaterThan(10);
    for (const { request, cachedTokens } of later) {
      const before = results.find(({ request: { id } }) => id === request.id - 1) as VirtualResult;
      const known = before.request.spec.promptTokens.length + before.tokens - 1;
      expect(cachedTokens).toBe(Math.floor(known / 16) * 16);
    }
  });
});
