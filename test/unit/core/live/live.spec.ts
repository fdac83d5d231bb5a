import { Occurrences } from '../../../../src/core/live/occurrences.js';
import { LiveChanges } from '../../../../src/core/live/live-changes.js';
import {
  type DecisionLine,
  type EngineRow,
  type LiveView,
  MOST_OCCURRENCES,
  MOST_SAMPLES,
  type Sample,
  SAMPLE_NAMES,
} from '../../../../src/core/live/live-view.js';
import { quantile } from '../../../../src/core/live/quantile.js';
import { RecentCounts } from '../../../../src/core/live/recent-counts.js';
import { SampleRing } from '../../../../src/core/live/sample-ring.js';
import { type Live, withNews } from '../../../../page/state.js';

describe('a quantile of buckets', () => {
  // What histogram_quantile gives for the same buckets.
  it.each([
    [0.5, [0, 10, 0, 0], 1.5],
    [0.99, [5, 5, 0, 0], 1.98],
    [0.5, [4, 0, 4, 0], 1],
    [0.25, [4, 0, 4, 0], 0.5],
    [0.99, [0, 0, 0, 7], 5],
    [0.5, [0, 0, 0, 0], null],
  ])('%d of %j is %d', (q, counts, value) => {
    const found = quantile([1, 2, 5], counts, q);
    if (value === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(value);
  });
});

describe('counts of the last steps', () => {
  it('are those of the steps that are remembered, and of what has come since', () => {
    const counts = new RecentCounts(2, 1);
    const at = (value: number): Float64Array => Float64Array.of(value);
    expect(counts.lately(at(3))[0]).toBe(3);
    counts.step(at(10));
    counts.step(at(14));
    expect([counts.lately(at(15))[0], counts.lately(at(15), 1)[0], counts.newest?.[0]]).toEqual([15, 5, 4]);
    counts.step(at(20));
    expect(counts.lately(at(20))[0]).toBe(10);
    counts.step(at(20));
    counts.step(at(20));
    expect([counts.lately(at(20))[0], counts.newest]).toEqual([0, null]);
  });

  it('take a counter that falls for one that begins anew', () => {
    const counts = new RecentCounts(2, 1);
    counts.step(Float64Array.of(10));
    counts.step(Float64Array.of(2));
    counts.step(Float64Array.of(5));
    expect(counts.lately(Float64Array.of(5))[0]).toBe(3);
  });
});

const sampleAt = (at: number): Sample =>
  Object.fromEntries(SAMPLE_NAMES.map((name) => [name, name === 'at' ? at : null])) as Sample;

it('keeps the last fifteen minutes of samples', () => {
  const ring = new SampleRing();
  expect([ring.newest, ring.all.at]).toEqual([null, []]);
  for (let at = 1; at <= MOST_SAMPLES + 5; at++) ring.add(sampleAt(at));
  expect(ring.newest).toEqual(sampleAt(MOST_SAMPLES + 5));
  expect([ring.all.at.length, ring.all.at[0], ring.all.ttft50[0]]).toEqual([MOST_SAMPLES, 6, null]);
});

it('keeps the last occurrences, one of what several processes find out', () => {
  const all = new Occurrences();
  all.add({ at: 1, kind: 'ejected', engine: 'a', detail: 'refused' });
  all.add({ at: 1.1, kind: 'ejected', engine: 'b', detail: 'refused' });
  all.add({ at: 1.2, kind: 'ejected', engine: 'a', detail: 'reset' });
  all.add({ at: 9, kind: 'ejected', engine: 'a', detail: 'x'.repeat(9_000) });
  expect(all.all.map(({ number, at, engine }) => [number, at, engine])).toEqual([
    [1, 1, 'a'],
    [2, 1.1, 'b'],
    [3, 9, 'a'],
  ]);
  expect(all.all[2]!.detail!.length).toBeLessThan(1_000);
  for (let n = 0; n < 500; n++) all.add({ at: 10 + n, kind: 'reloaded', engine: null, detail: null });
  expect(all.all).toHaveLength(MOST_OCCURRENCES);
});

const rowOf = (id: string, fields: Partial<EngineRow> = {}): EngineRow => ({
  ...{ id, state: 'ready', reason: null, prefill: 0, decoding: 0, waiting: 0, pending: 0, qps: 1 },
  ...{ ttft: { p50: 1, p99: 1 }, itl: { p50: 1, p99: 1 }, hitRate: 0, kvUse: 0, slowness: 1, ...fields },
});
const viewOf = (rows: readonly EngineRow[], fields: Partial<LiveView> = {}): LiveView => ({
  at: 1,
  router: {
    ...{ version: '1', strategy: 's', workers: null, dynamicFile: null, actions: false, explains: true },
    discovery: { provider: 'static', state: 'synced', reason: null, unknown: 0 },
  },
  totals: {
    ...{ engines: rows.length, states: {}, inFlight: 0, qps: 0, pieces: 0, failures: 0 },
    ...{ ttft: { p50: null, p99: null }, itl: { p50: null, p99: null } },
  },
  cards: rows.map(({ id }) => ({ id, url: id, models: [], adapters: [], moreNames: 0 })),
  ...{ rows, flows: [], sample: null, occurrences: [], decisions: [], settingsMark: 1, ...fields },
});
const PAST = { samples: new SampleRing().all, settings: [] };

describe('what is told to live pages', () => {
  it('is everything at first, and then what has changed', () => {
    const changes = new LiveChanges();
    changes.next(viewOf([rowOf('a'), rowOf('b')]), null);
    expect(changes.first(PAST).rows).toHaveLength(2);
    const same = changes.next(viewOf([rowOf('a'), rowOf('b')]), null);
    expect(Object.keys(same)).toEqual(['at']);
    const news = changes.next(viewOf([rowOf('a', { qps: 2 })], { at: 3 }), null);
    expect([news.rows?.map(({ id }) => id), news.gone, news.cards?.length]).toEqual([['a'], ['b'], 1]);
  });

  it('is a few KB at a time, however many engines there are, and turns come first', () => {
    const changes = new LiveChanges();
    const ids = Array.from({ length: 200 }, (_, at) => `http://engine-${at}:8000`);
    changes.next(viewOf(ids.map((id) => rowOf(id))), null);
    let live: Live | null = withNews(null, changes.first(PAST));
    for (let turn = 1; turn < 60; turn++) {
      const rows = ids.map((id, at) =>
        at === 199 && turn >= 2
          ? rowOf(id, { state: 'ejected', reason: 'refused' })
          : rowOf(id, { qps: turn }),
      );
      const news = changes.next(viewOf(rows, { cards: viewOf(ids.map((id) => rowOf(id))).cards }), null);
      expect(JSON.stringify(news).length).toBeLessThan(4_500);
      live = withNews(live, news);
      if (turn === 2) expect(live!.rows.get(ids[199]!)!.state).toBe('ejected');
    }
    // Every engine has had its turn.
    expect(Math.min(...[...live!.rows.values()].slice(0, 198).map(({ qps }) => qps))).toBeGreaterThan(20);
  });

  it('puts pages that came at different times into the same state', () => {
    const changes = new LiveChanges();
    const line = (id: string, at: number, outcome: string | null): DecisionLine => ({
      ...{ id, at, model: 'm', strategy: 's', candidates: 2, engine: 'a', reason: '', cost: 1, uncached: 1 },
      ...{ runnerUp: null, margin: null, attempts: 1, outcome, ttft: null },
    });
    let early: Live | null = null;
    let late: Live | null = null;
    for (let turn = 0; turn < 12; turn++) {
      const decisions = Array.from({ length: Math.min(turn + 1, 20) }, (_, at) =>
        line(`d${turn - at}`, turn - at, at > 2 ? 'done' : null),
      );
      const occurrences = Array.from({ length: turn }, (_, at) => ({
        ...{ number: at + 1, at, kind: 'back' as const, engine: 'a', detail: null },
      }));
      const view = viewOf([rowOf('a', { qps: turn })], { at: turn, decisions, occurrences });
      const news = changes.next(view, null);
      early = turn === 0 ? withNews(null, changes.first(PAST)) : withNews(early, news);
      late = turn <= 6 ? withNews(null, changes.first(PAST)) : withNews(late, news);
    }
    expect({ ...late!, decisions: [] }).toEqual({ ...early!, decisions: [] });
    expect(early!.occurrences.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(late!.decisions[0]).toEqual(early!.decisions[0]);
  });

  it('makes no whole of changes alone', () => {
    expect(withNews(null, { at: 1, rows: [rowOf('a')] })).toBeNull();
  });
});
