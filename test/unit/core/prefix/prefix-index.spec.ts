import fc from 'fast-check';
import { PrefixIndex } from '../../../../src/core/prefix/prefix-index.js';

const ROOMY = { maxBytes: 1 << 20 };
/** Bytes for so many blocks. */
const roomFor = (blocks: number): { maxBytes: number } => ({ maxBytes: 36 * (blocks + 1) });

/** Names of a chain in which equal begins of `path` give equal names, as those of prompts do. */
const chain = (path: readonly number[]): Float64Array => {
  let name = 7;
  return Float64Array.from(path, (step) => (name = (name * 31 + step + 1) % 2 ** 40));
};

const matchOf = (index: PrefixIndex, names: Float64Array, slots: readonly number[]): number[] => {
  const into = new Uint32Array(slots.length);
  index.match(names, slots, into);
  return [...into];
};

interface Holding {
  readonly engine: string;
  readonly name: number;
  /** Requests in flight that hold it, and whether it is kept for them alone. */
  holds: number;
  kept: boolean;
}

/** The same in a plain list, the newest first: slow, and beyond doubt. */
class NaiveIndex {
  /** Of all engines. */
  held: Holding[] = [];
  readonly capacities = new Map<string, number>();

  constructor(private readonly limit: number) {}

  of(engine: string): number[] {
    return this.held.filter((one) => one.engine === engine).map(({ name }) => name);
  }

  capacityOf(engine: string): number {
    return Math.min(this.capacities.get(engine) ?? Number.POSITIVE_INFINITY, this.limit);
  }

  /** `by` requests more hold the first `changed`. */
  place(engine: string, names: readonly number[], by = 0, changed = 0): number {
    const taken = names.slice(0, this.capacityOf(engine));
    this.trim(engine);
    let added = 0;
    taken.forEach((name, at) => {
      const known = this.held.find((one) => one.engine === engine && one.name === name);
      if (!known || known.kept) this.trim(engine, 1);
      if (!known && this.held.length >= this.limit) this.held.pop();
      if (!known) added++;
      const one = known ?? { engine, name, holds: 0, kept: false };
      one.kept = false;
      if (at < changed) one.holds = Math.max(0, one.holds + by);
      const others = this.held.filter((each) => each !== one);
      const before = others.findIndex((each) => each.engine === engine && each.name === names[at - 1]);
      others.splice(before + 1, 0, one);
      this.held = others;
    });
    for (const name of names.slice(taken.length, changed)) {
      const one = this.held.find((each) => each.engine === engine && each.name === name);
      if (one) one.holds = Math.max(0, one.holds + by);
      this.held = this.held.filter((each) => each !== one || !each.kept || each.holds > 0);
    }
    return added;
  }

  /** What is beyond the engine's capacity, with room for `more`, goes or is kept. */
  trim(engine: string, more = 0): void {
    const recent = this.held.filter((one) => one.engine === engine && !one.kept);
    for (const one of recent.slice(Math.max(0, this.capacityOf(engine) - more))) one.kept = true;
    this.held = this.held.filter((one) => !one.kept || one.holds > 0);
  }

  clear(engine: string): void {
    this.held = this.held.filter((one) => one.engine !== engine);
  }

  match(engine: string, names: readonly number[]): number {
    const had = this.of(engine);
    const missing = names.findIndex((name) => !had.includes(name));
    return missing < 0 ? names.length : missing;
  }
}

type Step =
  | { readonly do: 'insert'; readonly engine: number; readonly path: number[]; readonly count: number }
  | { readonly do: 'hold'; readonly engine: number; readonly path: number[] }
  | { readonly do: 'release'; readonly which: number; readonly answer: number[] }
  | { readonly do: 'capacity'; readonly engine: number; readonly blocks: number }
  | { readonly do: 'clear' | 'drop'; readonly engine: number };

const engine = fc.integer({ min: 0, max: 3 });
const path = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 12 });
const insertion = fc.record({
  do: fc.constant('insert' as const),
  engine,
  path,
  count: fc.integer({ min: 0, max: 14 }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: insertion },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('hold' as const), engine, path }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('release' as const),
        which: fc.nat(20),
        answer: fc.array(fc.integer({ min: 3, max: 5 }), { maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('capacity' as const),
        engine,
        blocks: fc.integer({ min: 0, max: 30 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('clear' as const, 'drop' as const), engine }) },
  ),
  { maxLength: 60 },
);

describe('PrefixIndex', () => {
  it('counts the leading blocks that each engine holds', () => {
    const index = new PrefixIndex(ROOMY);
    const [a, b] = [index.slotOf('a'), index.slotOf('b')];
    expect(index.insert(a, chain([1, 2, 3]))).toBe(3);
    expect(index.insert(b, chain([1, 2, 4, 5]))).toBe(4);
    expect(index.insert(a, chain([1, 2, 3]))).toBe(0);
    expect(matchOf(index, chain([1, 2, 4, 9]), [a, b, a])).toEqual([2, 3, 2]);
    expect(matchOf(index, chain([9, 2, 4]), [a, b])).toEqual([0, 0]);
    expect([index.holdings(a), index.holdings(b), index.blocks]).toEqual([3, 4, 7]);
  });

  it('drops the end of the prompt that was used least recently', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    index.setCapacity(slot, 5);
    index.insert(slot, chain([1, 2, 3]));
    index.insert(slot, chain([4, 5, 6]));
    expect(matchOf(index, chain([1, 2, 3]), [slot])).toEqual([2]);
    expect(matchOf(index, chain([4, 5, 6]), [slot])).toEqual([3]);
  });

  it('takes only the begin of a prompt that is longer than the cache', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    index.setCapacity(slot, 2);
    expect(index.insert(slot, chain([1, 2, 3, 4]))).toBe(2);
    expect(matchOf(index, chain([1, 2, 3, 4]), [slot])).toEqual([2]);
  });

  it('keeps what requests in flight hold beside what fits, until the last of them is over', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    index.setCapacity(slot, 3);
    const prompt = chain([1, 2]);
    expect([index.hold(slot, prompt), index.hold(slot, prompt)]).toEqual([2, 2]);
    const others = (): void => [4, 5, 6].forEach((other) => index.insert(slot, chain([other])));
    const known = (): number[] => [...matchOf(index, prompt, [slot]), index.holdings(slot)];
    others();
    expect(known()).toEqual([2, 5]);
    index.release(slot, prompt, 2);
    others();
    expect(known()).toEqual([2, 5]);
    index.release(slot, chain([1, 2, 3]), 2);
    expect([...matchOf(index, chain([1, 2, 3]), [slot]), index.holdings(slot)]).toEqual([3, 3]);
    others();
    expect(known()).toEqual([0, 3]);
  });

  it('lets go of what was held when its cache has become smaller in the meantime', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    const held = index.hold(slot, chain([1, 2, 3]));
    index.setCapacity(slot, 1);
    expect(index.holdings(slot)).toBe(3);
    index.release(slot, chain([1, 2, 3]), held);
    expect([...matchOf(index, chain([1, 2, 3]), [slot]), index.holdings(slot)]).toEqual([1, 1]);
  });

  it('does not count beyond 16,383 requests with the same prompt', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    const prompt = chain([1]);
    const held = Array.from({ length: 16_390 }, () => index.hold(slot, prompt));
    expect(held.filter((blocks) => blocks === 1)).toHaveLength(16_383);
    index.setCapacity(slot, 0);
    const blocks = held.map((one) => {
      index.release(slot, prompt, one);
      return index.blocks;
    });
    expect([blocks[16_381], blocks[16_382], blocks.at(-1)]).toEqual([1, 0, 0]);
  });

  it('behaves as a naive index does, whatever happens, with much room and with little', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), path, (all, limit, asked) => {
        const index = new PrefixIndex(roomFor(limit));
        const naive = new NaiveIndex(limit);
        expect(index.limit).toBe(limit);
        let open: { id: string; path: number[]; held: number }[] = [];
        for (const step of all) {
          if (step.do === 'release') {
            const [ended] = open.splice(step.which % Math.max(open.length, 1), 1);
            if (!ended) continue;
            const whole = chain([...ended.path, ...step.answer]);
            index.release(index.slotOf(ended.id), whole, ended.held);
            naive.place(ended.id, [...whole], -1, ended.held);
            continue;
          }
          const id = `engine ${step.engine}`;
          if (step.do === 'clear' || step.do === 'drop') open = open.filter((one) => one.id !== id);
          if (step.do === 'insert') {
            const names = chain(step.path);
            const added = index.insert(index.slotOf(id), names, step.count);
            // What is stale still takes room until it is swept; these tables are swept at once.
            expect(added).toBe(naive.place(id, [...names].slice(0, step.count)));
          } else if (step.do === 'hold') {
            const names = chain(step.path);
            const held = index.hold(index.slotOf(id), names);
            expect(held).toBe(Math.min(names.length, naive.capacityOf(id)));
            naive.place(id, [...names], 1, held);
            open.push({ id, path: step.path, held });
          } else if (step.do === 'capacity') {
            index.setCapacity(index.slotOf(id), step.blocks);
            naive.capacities.set(id, step.blocks);
            naive.trim(id);
          } else if (step.do === 'clear') {
            index.clear(index.slotOf(id));
            naive.clear(id);
          } else {
            index.drop(id);
            naive.clear(id);
            naive.capacities.delete(id);
          }
        }
        const ids = [0, 1, 2, 3].map((number) => `engine ${number}`);
        const slots = ids.map((id) => index.slotOf(id));
        for (const prompt of [asked, ...all.flatMap((step) => ('path' in step ? [step.path] : []))]) {
          const names = chain(prompt);
          expect(matchOf(index, names, slots)).toEqual(ids.map((id) => naive.match(id, [...names])));
        }
        expect(slots.map((slot) => index.holdings(slot))).toEqual(ids.map((id) => naive.of(id).length));
        expect(index.blocks).toBe(naive.held.length);
      }),
      { numRuns: 400 },
    );
  });

  it('stays within its bytes and below 64 for each block', () => {
    const index = new PrefixIndex(roomFor(5_000));
    const slot = index.slotOf('a');
    for (let prompt = 0; prompt < 3_000; prompt++) {
      index.insert(slot, chain([prompt, 1, 2, 3]));
      expect(index.bytes / index.blocks).toBeLessThan(64);
    }
    expect(index.blocks).toBe(5_000);
    expect(index.bytes).toBeLessThanOrEqual(roomFor(5_000).maxBytes);
  });

  it('forgets a cleared engine at once and gets its room back', () => {
    const index = new PrefixIndex(roomFor(1_000));
    const [a, b] = [index.slotOf('a'), index.slotOf('b')];
    for (let prompt = 0; prompt < 250; prompt++) index.insert(a, chain([prompt, 1, 2, 3]));
    index.clear(a);
    expect([index.blocks, index.holdings(a)]).toEqual([0, 0]);
    expect(matchOf(index, chain([1, 1]), [a, b])).toEqual([0, 0]);
    index.insert(a, chain([1, 1]));
    expect(matchOf(index, chain([1, 1]), [a, b])).toEqual([2, 0]);
    for (let prompt = 0; prompt < 249; prompt++) index.insert(b, chain([prompt, 1, 2, 3]));
    expect([index.blocks, index.holdings(a), index.holdings(b)]).toEqual([998, 2, 996]);
  });

  it('uses the numbers of engines again and knows nothing of a number without engine', () => {
    const index = new PrefixIndex(ROOMY);
    const slot = index.slotOf('a');
    index.insert(slot, chain([1]));
    index.drop('a');
    expect(index.insert(slot, chain([1]))).toBe(0);
    index.clear(slot);
    index.setCapacity(slot, 3);
    expect(matchOf(index, chain([1]), [slot, 77, -1])).toEqual([0, 0, 0]);
    expect([index.holdings(slot), index.holdings(99)]).toEqual([0, 0]);
    expect(index.slotOf('b')).toBe(slot);
    expect(matchOf(index, chain([1]), [slot])).toEqual([0]);
  });

  it('survives many clears between insertions', () => {
    const index = new PrefixIndex(roomFor(300_000));
    const slots = Array.from({ length: 40_000 }, (_, number) => index.slotOf(`engine ${number % 20_000}`));
    for (const slot of slots) index.insert(slot, chain([1, 2]));
    for (let round = 0; round < 4; round++) {
      for (const slot of slots) {
        index.clear(slot);
        index.insert(slot, chain([round]));
      }
    }
    expect(index.blocks).toBe(20_000);
    expect(new Set(slots.map((slot) => index.holdings(slot)))).toEqual(new Set([1]));
  });

  it('keeps its lists whole when names repeat within one prompt or are no numbers', () => {
    const odd = [5, 6, 5, 5, Number.NaN, 6, -1, 0.5, Number.POSITIVE_INFINITY];
    const names = fc.array(fc.constantFrom(...odd), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(names, { maxLength: 20 }), (all) => {
        const index = new PrefixIndex(roomFor(6));
        const slot = index.slotOf('a');
        const prompts = all.map((one) => Float64Array.from(one));
        const held = prompts.map((one) => index.hold(slot, one));
        for (const one of prompts) index.insert(slot, one);
        expect(index.blocks).toBeLessThanOrEqual(6);
        prompts.forEach((one, at) => index.release(slot, one, held[at] ?? 0));
        expect(index.blocks).toBeLessThanOrEqual(6);
        index.insert(slot, chain([1, 2, 3, 4, 5, 6]));
        expect(matchOf(index, chain([1, 2, 3, 4, 5, 6]), [slot])).toEqual([6]);
        index.setCapacity(slot, 0);
        expect(index.blocks).toBe(0);
      }),
    );
  });
});
