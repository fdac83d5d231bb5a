import fc from 'fast-check';
import {
  EngineProgress,
  progressReading,
  type ProgressReading,
  type ProgressVerdict,
  type WaitingRequests,
} from '../../../src/core/engine-progress.js';
import { readEngineStats } from '../../../src/core/prometheus-text.js';

const TIMEOUT = 20_000;
const SWEEP = 250;

const found = (fields: Partial<WaitingRequests> = {}): WaitingRequests => ({
  ...{ waiting: 1, computed: 1, streaming: 0, promptBytes: 300, oldest: 0, lastByteAt: -Infinity },
  ...fields,
});

/** An engine under the eyes of a sweep and of scrapes every two seconds, on a clock of its own. */
class Watched {
  readonly progress = new EngineProgress();
  now = 0;
  #scrapes = 0;
  #told: number | null = null;

  /** @param counted null: it tells of no counters; undefined: it does not answer */
  scrape(counted: number | null | undefined, prefillRate: number | null = 1_000): void {
    this.#scrapes++;
    const answered = counted !== undefined;
    if (answered) this.#told = counted;
    this.progress.read({ number: this.#scrapes, at: this.now, answered, counted: this.#told, prefillRate });
  }

  sweep(fields: Partial<WaitingRequests> = {}): ProgressVerdict {
    return this.progress.judge(found(fields), this.now, TIMEOUT);
  }

  /** Sweeps until `end`, and scrapes as often as a suspected engine is. */
  until(end: number, fields: Partial<WaitingRequests>, scrape: () => void): ProgressVerdict[] {
    const verdicts: ProgressVerdict[] = [];
    for (; this.now <= end; this.now += SWEEP) {
      const verdict = this.sweep(fields);
      if (verdict !== verdicts.at(-1)) verdicts.push(verdict);
      if (verdict !== 'moving' && verdict !== 'idle' && this.now % 2_000 === 0) scrape();
    }
    return verdicts;
  }
}

describe('whether an engine makes progress', () => {
  it('is no question while nobody waits', () => {
    const one = new Watched();
    expect(one.until(100_000, { waiting: 0, computed: 0, oldest: Infinity }, () => {})).toEqual(['idle']);
  });

  it('ends with one that told its figures and answers nothing at all, at the timeout', () => {
    const one = new Watched();
    one.scrape(5);
    const scrape = (): void => one.scrape(undefined);
    expect(one.until(19_750, {}, scrape)).toEqual(['moving', 'suspect']);
    expect([one.now, one.sweep()]).toEqual([20_000, 'frozen']);
    // As long as it does not answer, whoever waits.
    expect(one.until(90_000, { waiting: 0 }, scrape)).toEqual(['frozen']);
    one.scrape(5);
    expect(one.sweep({ waiting: 0 })).toBe('idle');
  });

  it('ends also with one that had stopped answering before anybody asked for anything', () => {
    const one = new Watched();
    one.scrape(5);
    one.scrape(undefined);
    one.now = 100_000;
    expect(one.until(119_750, { oldest: 100_000 }, () => one.scrape(undefined))).toEqual([
      'moving',
      'suspect',
    ]);
    expect(one.sweep()).toBe('frozen');
  });

  it('goes on at once when a frozen one answers again or sends a byte', () => {
    for (const wake of ['read', 'byte'] as const) {
      const one = new Watched();
      one.scrape(5);
      expect(one.until(30_000, {}, () => one.scrape(undefined))).toContain('frozen');
      if (wake === 'read') one.scrape(5);
      expect(one.sweep(wake === 'byte' ? { lastByteAt: one.now } : {})).toBe('moving');
    }
  });

  it('ends with one that answers with counters that stand still', () => {
    const one = new Watched();
    one.scrape(5);
    expect(one.until(30_000, {}, () => one.scrape(5))).toEqual(['moving', 'suspect', 'stalled']);
    // Its counters moved without a byte: other routers' requests, or a step of a long prompt.
    one.scrape(6);
    expect(one.sweep()).toBe('moving');
  });

  it('is not proved by heads, comments and health: none of them reaches the rule', () => {
    const one = new Watched();
    one.scrape(5);
    // A new stream comes each sweep and brings a head; the oldest is the one of now.
    let verdict: ProgressVerdict = 'moving';
    for (; one.now < 30_000; one.now += SWEEP) {
      verdict = one.sweep({ oldest: one.now });
      if (one.now % 2_000 === 0) one.scrape(5);
    }
    expect(verdict).toBe('stalled');
  });

  it('is proved by a byte on any attempt', () => {
    const one = new Watched();
    one.scrape(5);
    for (; one.now < 100_000; one.now += SWEEP) {
      const lastByteAt = Math.floor(one.now / 10_000) * 10_000;
      expect(one.sweep({ lastByteAt })).not.toBe('stalled');
      if (one.now % 2_000 === 0) one.scrape(5);
    }
  });

  it('is not denied to a slow engine with a long prompt: its own pace says how long that may take', () => {
    // 24 KB are at most 8,000 tokens, which at 270 a second take 30 s: twice that is allowed.
    const one = new Watched();
    one.scrape(5, 270);
    const fields = { promptBytes: 24_000 };
    expect(one.until(59_000, fields, () => one.scrape(5, 270))).toEqual(['moving', 'suspect']);
    expect(one.until(60_000, fields, () => one.scrape(5, 270))).toEqual(['suspect', 'stalled']);
    // A fast one has no such excuse.
    const fast = new Watched();
    fast.scrape(5, 5_000);
    expect(fast.until(20_000, fields, () => fast.scrape(5, 5_000)).at(-1)).toBe('stalled');
  });

  it('gives no prompt longer than the longest one takes: larger bodies hold images', () => {
    const one = new Watched();
    const scrape = (): void => one.scrape(5, 10_000);
    scrape();
    expect(one.until(26_000, { promptBytes: 1e9 }, scrape)).toEqual(['moving', 'suspect']);
    expect(one.until(26_500, { promptBytes: 1e9 }, scrape).at(-1)).toBe('stalled');
  });

  it('waits for the first prompt of an engine, which may compile its kernels then', () => {
    const one = new Watched();
    one.scrape(0, null);
    expect(one.until(59_750, {}, () => one.scrape(0, null))).toEqual(['moving', 'suspect']);
    expect(one.sweep()).toBe('stalled');
  });

  it('judges one without counters by streams that have begun alone', () => {
    const plain = new Watched();
    expect(plain.until(200_000, {}, () => plain.scrape(null))).toEqual(['moving', 'suspect']);
    const silent = new Watched();
    expect(silent.until(200_000, {}, () => silent.scrape(undefined))).toEqual(['moving', 'suspect']);
    const streaming = new Watched();
    const fields = { streaming: 1, promptBytes: 0 };
    expect(streaming.until(20_000, fields, () => streaming.scrape(null))).toEqual([
      'moving',
      'suspect',
      'stalled',
    ]);
  });

  it('does not take what moved before the silence for progress in it', () => {
    const one = new Watched();
    one.scrape(5);
    one.now = 1_000;
    one.sweep({ lastByteAt: 900, oldest: 0 });
    // The read before was earlier than the last byte.
    one.now = 7_000;
    one.scrape(80);
    expect(one.progress.lastAt).toBe(900);
    one.now = 9_000;
    one.scrape(81);
    expect(one.progress.lastAt).toBe(9_000);
  });

  it('takes a restart for progress: counters that fell have moved', () => {
    const one = new Watched();
    one.scrape(500);
    one.until(12_000, {}, () => one.scrape(500));
    one.scrape(0, null);
    expect(one.sweep()).toBe('moving');
  });

  it('hears of no read twice, and needs two in a row', () => {
    const one = new Watched();
    one.scrape(5);
    one.now = 19_000;
    one.sweep();
    const lost: ProgressReading = {
      number: 2,
      at: 19_000,
      answered: false,
      counted: 5,
      prefillRate: null,
    };
    expect([one.progress.read(lost), one.progress.read(lost)]).toEqual([true, false]);
    one.now = 25_000;
    expect(one.sweep()).toBe('suspect');
    expect(one.progress.read({ ...lost, number: 3 })).toBe(true);
    expect(one.sweep()).toBe('frozen');
  });

  it('never calls an engine stalled within the timeout of its last byte, whatever it is told', () => {
    const step = fc.record({
      pause: fc.integer({ min: 1, max: 8_000 }),
      scrape: fc.constantFrom<number | null | undefined | 'none'>('none', null, undefined, 5, 6),
      byte: fc.boolean(),
      found: fc.record({
        waiting: fc.nat(2),
        computed: fc.nat(2),
        streaming: fc.nat(1),
        promptBytes: fc.nat(1e6),
      }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const one = new Watched();
        let lastByteAt = -Infinity;
        for (const { pause, scrape, byte, found: some } of steps) {
          one.now += pause;
          if (byte) lastByteAt = one.now;
          if (scrape !== 'none') one.scrape(scrape);
          const verdict = one.sweep({ ...some, lastByteAt, oldest: 0 });
          const bad = verdict === 'stalled' || verdict === 'frozen';
          if (bad) expect(one.now - Math.max(lastByteAt, 0)).toBeGreaterThanOrEqual(TIMEOUT);
        }
      }),
    );
  });
});

describe('what a read of figures tells of progress', () => {
  it('adds up tokens and steps, and the rate of uncached prompt tokens', () => {
    const stats = readEngineStats(
      [
        'vllm:prompt_tokens_total{engine="0"} 1000.0',
        'vllm:generation_tokens_total{engine="0"} 200.0',
        'vllm:prefix_cache_hits_total{engine="0"} 400.0',
        'vllm:iteration_tokens_total_count{engine="0"} 30.0',
        'vllm:request_prefill_time_seconds_sum{engine="0"} 2.0',
      ].join('\n'),
    );
    const first = progressReading(stats, true, null, 7);
    expect(first).toEqual({ number: 1, at: 7, answered: true, counted: 1_230, prefillRate: 300 });
    expect(progressReading(null, false, first, 9)).toEqual({
      // What it told before still says that it tells at all.
      ...{ number: 2, at: 9, answered: false, counted: 1_230, prefillRate: 300 },
    });
  });

  it('knows no counters where there are none, and no rate before a prompt was computed', () => {
    expect(
      progressReading(readEngineStats('vllm:num_requests_running 1\n'), true, null, 0).counted,
    ).toBeNull();
    const idle = readEngineStats('vllm:prompt_tokens_total 0.0\nvllm:request_prefill_time_seconds_sum 0.0\n');
    expect(progressReading(idle, true, null, 0)).toMatchObject({ counted: 0, prefillRate: null });
  });
});
