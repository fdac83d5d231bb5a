import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import fc from 'fast-check';
import { EngineModel, type EngineModelOptions } from '../../../../src/simulator/model/engine-model.js';
import { type EngineProfile, PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import type { FinishReason, Sequence, SequenceSpec } from '../../../../src/simulator/model/sequence.js';
import { prompt } from './driver.js';

/** Small enough that blocks, budget, places and slots all run out. */
const SMALL: EngineProfile = {
  ...PROFILES['l4-8b'],
  blockSize: 4,
  blocks: 13,
  maxBatchedTokens: 9,
  maxSequences: 4,
  maxLoras: 1,
};

type Action =
  | {
      readonly do: 'submit';
      readonly length: number;
      readonly max: number;
      readonly first: number;
      readonly adapter: string | null;
      readonly priority: number;
    }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'step' }
  /** Aborts between `beginStep` and `endStep`. */
  | { readonly do: 'abortInStep'; readonly which: number }
  /** Aborts from within the sink, at the next token. */
  | { readonly do: 'abortInSink'; readonly which: number };

const submitAction = fc.record({
  do: fc.constant('submit' as const),
  length: fc.integer({ min: 1, max: 48 }),
  max: fc.integer({ min: 0, max: 30 }),
  first: fc.constantFrom(0, 0, 500),
  adapter: fc.constantFrom(null, null, 'a', 'b'),
  priority: fc.integer({ min: 0, max: 2 }),
});
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: submitAction },
  { weight: 6, arbitrary: fc.constant({ do: 'step' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('abort' as const, 'abortInStep' as const, 'abortInSink' as const),
      which: fc.nat(),
    }),
  },
);
const noAborts = fc.oneof(
  { weight: 3, arbitrary: submitAction },
  { weight: 6, arbitrary: fc.constant({ do: 'step' as const }) },
);

/**
 * Drives a model by actions, then to its end, and checks after each what must always hold: some hundred thousand
 * times in all, so it asserts with Node: a matcher of jest costs many times as much.
 */
class Trial {
  readonly model: EngineModel;
  readonly sequences: Sequence[] = [];
  readonly ends = new Map<Sequence, FinishReason[]>();
  readonly tokens = new Map<Sequence, number[]>();
  readonly starts: Sequence[] = [];
  readonly aborted = new Set<Sequence>();
  #now = 0;
  #inSink: Sequence | null = null;

  constructor(options: EngineModelOptions = {}) {
    this.model = new EngineModel(SMALL, options);
  }

  run(actions: readonly Action[]): this {
    for (const action of actions) {
      this.#act(action);
      this.#check();
    }
    for (let steps = 0; this.#step(null); steps++) {
      this.#check();
      if (steps > 20_000) throw new Error('the engine does not come to an end');
    }
    return this;
  }

  #act(action: Action): void {
    if (action.do === 'submit') {
      const { length, max, first, adapter, priority } = action;
      const spec: SequenceSpec = {
        promptTokens: prompt(length, first),
        cacheKey: adapter ?? '',
        adapter,
        maxTokens: max,
        priority,
      };
      const sequence = this.model.submit(spec, this.#now);
      if (sequence !== 'queue_full') this.sequences.push(sequence);
      return;
    }
    if (action.do === 'step') {
      this.#step(null);
      return;
    }
    const victim = this.sequences[action.which % Math.max(1, this.sequences.length)] ?? null;
    if (action.do === 'abort' && victim) this.#abort(victim);
    else if (action.do === 'abortInStep') this.#step(victim);
    else this.#inSink = victim;
  }

  #abort(sequence: Sequence): void {
    if (sequence.state !== 'finished') this.aborted.add(sequence);
    this.model.abort(sequence);
    strictEqual(sequence.state, 'finished');
    strictEqual(sequence.blocks.length, 0);
  }

  #step(abortMeanwhile: Sequence | null): boolean {
    const before = new Set(this.sequences.filter(({ scheduledAt }) => scheduledAt !== null));
    const step = this.model.beginStep(this.#now);
    if (!step) return false;
    const begun = this.sequences.filter((one) => one.scheduledAt !== null && !before.has(one));
    this.starts.push(...begun);
    const computed = this.sequences.reduce((sum, { planned }) => sum + planned, 0);
    ok(computed > 0 && computed <= SMALL.maxBatchedTokens, `${computed} tokens in a step`);
    ok(this.model.running <= SMALL.maxSequences);
    ok(this.model.adapters.running.size <= SMALL.maxLoras);
    this.#now += step.seconds;
    if (abortMeanwhile) this.#abort(abortMeanwhile);
    this.#check();
    this.model.endStep(this.#now, {
      token: (sequence, index) => {
        ok(!this.aborted.has(sequence));
        const tokens = this.tokens.get(sequence);
        if (tokens) tokens.push(index);
        else this.tokens.set(sequence, [index]);
        if (this.#inSink) this.#abort(this.#inSink);
        this.#inSink = null;
      },
      finished: (sequence, reason) => this.ends.set(sequence, [...(this.ends.get(sequence) ?? []), reason]),
    });
    return true;
  }

  /** Conservation of blocks and of sequences. */
  #check(): void {
    const { pool, running, waiting } = this.model;
    const held = new Map<number, number>();
    const states: Record<Sequence['state'], number> = { waiting: 0, running: 0, finished: 0 };
    let queued = 0;
    for (const { state, blocks, generated, spec } of this.sequences) {
      states[state]++;
      if (state !== 'running') strictEqual(blocks.length, 0);
      if (state !== 'finished' && generated === 0) queued += spec.promptTokens.length;
      for (const block of blocks) held.set(block, (held.get(block) ?? 0) + 1);
    }
    strictEqual(pool.free + held.size, pool.size);
    for (const [block, count] of held) strictEqual(pool.references(block), count);
    deepStrictEqual([running, waiting], [states.running, states.waiting]);
    strictEqual(this.model.queuedTokens, queued);
  }
}

describe.each([
  ['first come, first served', {}],
  ['by priority', { priorityScheduling: true }],
  ['without prefix cache', { prefixCaching: false }],
  ['without preemption', { structure: { preempts: false } }],
  [
    'of another make',
    { structure: { keepsPreempted: false, evicts: 'root', stepTime: 'longest', caches: 'computed' } },
  ],
] as [string, EngineModelOptions][])('an engine model, %s', (_name, options) => {
  it('keeps all blocks and sequences, whatever comes and leaves', () => {
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 60 }), (actions) => {
        const { model, sequences, ends, tokens, aborted } = new Trial(options).run(actions);
        expect(model).toMatchObject({ running: 0, waiting: 0, kvUsage: 0, queuedTokens: 0 });
        expect(model.adapters.running.size + model.adapters.waiting.size).toBe(0);
        for (const sequence of sequences) {
          expect(sequence.state).toBe('finished');
          expect(ends.get(sequence) ?? []).toHaveLength(aborted.has(sequence) ? 0 : 1);
          const indexes = tokens.get(sequence) ?? [];
          expect(indexes).toEqual(Array.from({ length: sequence.generated }, (_, index) => index));
        }
        const { finished, generationTokens } = model.counters;
        expect(finished.length + finished.stop).toBe(ends.size);
        expect(finished.abort).toBe(0);
        expect(generationTokens).toBe(sequences.reduce((sum, { generated }) => sum + generated, 0));
      }),
      { numRuns: 40 },
    );
  });

  it('gives each sequence all its tokens, preempted or not, up to the size of the cache', () => {
    let preemptions = 0;
    fc.assert(
      fc.property(fc.array(noAborts, { maxLength: 40 }), (actions) => {
        const { model, sequences } = new Trial(options).run(actions);
        preemptions += model.counters.preemptions;
        for (const { spec, generated, finishReason } of sequences) {
          const room = model.capacity - spec.promptTokens.length + 1;
          expect(generated).toBe(Math.min(spec.maxTokens, room));
          expect(finishReason).toBe(spec.maxTokens === 0 ? 'stop' : 'length');
        }
      }),
      { numRuns: 35 },
    );
    expect(preemptions > 0).toBe(options.structure?.preempts !== false);
  });
});

describe('an engine model', () => {
  it('begins sequences in the order in which they came, when no adapter holds one up', () => {
    fc.assert(
      fc.property(fc.array(noAborts, { maxLength: 40 }), (actions) => {
        const plain = actions.map((action) =>
          action.do === 'submit' ? { ...action, adapter: null } : action,
        );
        const { starts } = new Trial().run(plain);
        const orders = starts.map(({ order }) => order);
        expect(orders).toEqual([...orders].sort((one, other) => one - other));
      }),
    );
  });

  it('hits the longest chain of full blocks that is there, and leaves one token to compute', () => {
    const roomy = { ...SMALL, blocks: 2000, maxSequences: 100 };
    const prompts = fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 60 }), differs: fc.integer({ min: 0, max: 60 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(prompts, (all) => {
        const model = new EngineModel(roomy);
        const known = new Set<string>();
        for (const { length, differs } of all) {
          // The same tokens up to `differs`, others from there on.
          const promptTokens = Int32Array.from({ length }, (_, at) =>
            at < differs ? at : 1000 * differs + at,
          );
          const spec: SequenceSpec = { promptTokens, cacheKey: 'm', adapter: null, maxTokens: 1 };
          const sequence = model.submit(spec, 0) as Sequence;
          while (model.beginStep(0)) model.endStep(0, { token: () => {}, finished: () => {} });
          const chain = (blocks: number): string => promptTokens.slice(0, 4 * blocks).join();
          let expected = 0;
          while (4 * (expected + 1) < length && known.has(chain(expected + 1))) expected++;
          expect(sequence.cachedTokens).toBe(4 * expected);
          for (let blocks = 1; 4 * blocks <= length; blocks++) known.add(chain(blocks));
        }
      }),
    );
  });
});
