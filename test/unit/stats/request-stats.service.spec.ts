import fc from 'fast-check';
import type { Engine } from '../../../src/core/engine.js';
import { readEngineStats, type EngineStats } from '../../../src/core/prometheus-text.js';
import type { EngineStatsScraper } from '../../../src/stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../../../src/stats/lifetime-series.js';
import { MAX_MODELS } from '../../../src/stats/model-label.js';
import { RequestStatsService } from '../../../src/stats/request-stats.service.js';
import { engine, request, settings, TestAttempt, TestClock } from './attempts.js';

const A = engine('http://a:8000');
const B = engine('http://b:8000');

function setUp() {
  const clock = new TestClock();
  const store = settings();
  const series = new LifetimeSeries();
  const scraped = new Map<string, EngineStats>();
  const scraper = { statsOf: (id: string) => scraped.get(id) ?? null } as EngineStatsScraper;
  const stats = new RequestStatsService(store, scraper, series, clock);
  const attempt = (to: Engine = A, facts = request(), number = 1) =>
    new TestAttempt(clock, to, facts, [stats, series], number);
  return { clock, store, series, scraped, stats, attempt };
}

describe('RequestStatsService', () => {
  it('follows a request from dispatch to its end', () => {
    const { clock, stats, attempt } = setUp();
    const one = attempt().dispatch();
    expect(stats.figuresOf(A.id)).toMatchObject({ prefill: 1, decoding: 0, running: 1, finished: 0 });
    clock.pass(0.5);
    one.firstToken();
    expect(stats.figuresOf(A.id)).toMatchObject({
      prefill: 0,
      decoding: 1,
      running: 1,
      timeToFirstToken: 0.5,
    });
    clock.pass(2);
    one.finish();
    expect(stats.figuresOf(A.id)).toEqual({
      qps: 1 / 60,
      timeToFirstToken: 0.5,
      interToken: null,
      latency: 2.5,
      decodingTime: 2,
      prefill: 0,
      decoding: 0,
      running: 0,
      finished: 1,
      uptime: 2.5,
    });
  });

  it('has no means without samples, and forgets those that left the window', () => {
    const { clock, stats, attempt } = setUp();
    expect(stats.figuresOf(A.id)).toBeNull();
    attempt().dispatch().firstToken().finish();
    clock.pass(61);
    expect(stats.figuresOf(A.id)).toMatchObject({
      qps: 0,
      timeToFirstToken: null,
      latency: null,
      decodingTime: null,
      finished: 1,
      uptime: 61,
    });
  });

  it('tells engines apart, and counts the models of one together', () => {
    const { stats, attempt } = setUp();
    const both = engine('http://a:8000', ['tiny', 'lora1']);
    attempt(both, request('tiny')).dispatch();
    attempt(both, request('lora1')).dispatch().firstToken();
    attempt(B).dispatch().finish();
    expect(stats.figuresOf(both.id)).toMatchObject({ prefill: 1, decoding: 1, finished: 0 });
    expect(stats.figuresOf(B.id)).toMatchObject({ running: 0, finished: 1 });
  });

  it.each(['engine_error', 'failed', 'timeout', 'client_left'] as const)(
    'counts an attempt that ends as %s, and takes no latency from it',
    (outcome) => {
      const { stats, attempt } = setUp();
      attempt().dispatch().firstToken().finish({ outcome });
      expect(stats.figuresOf(A.id)).toMatchObject({
        finished: 1,
        running: 0,
        latency: null,
        decodingTime: null,
      });
    },
  );

  it('counts a retry on the engine that it goes to', () => {
    const { stats, attempt } = setUp();
    const facts = request();
    attempt(A, facts).dispatch().finish({ outcome: 'failed', cause: 'refused' });
    const second = attempt(B, facts, 2).dispatch();
    expect(stats.figuresOf(A.id)).toMatchObject({ running: 0, finished: 1 });
    expect(stats.figuresOf(B.id)).toMatchObject({ running: 1 });
    second.finish();
    expect(stats.figuresOf(B.id)).toMatchObject({ running: 0, finished: 1 });
  });

  it('returns every count to zero whatever order events come in, doubled and missing ones included', () => {
    const happening = fc.record({
      kind: fc.constantFrom('dispatch', 'firstToken', 'finish'),
      request: fc.nat(3),
      attempt: fc.integer({ min: 1, max: 2 }),
      engine: fc.constantFrom(A, B),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (events) => {
        const { stats, attempt } = setUp();
        const requests = [0, 1, 2, 3].map(() => request());
        const of = (one: (typeof events)[number]) => attempt(one.engine, requests[one.request], one.attempt);
        for (const one of events) {
          of(one)[one.kind as 'dispatch']();
          for (const { prefill, decoding } of stats.figuresByUrl().values()) {
            expect(Math.min(prefill, decoding)).toBeGreaterThanOrEqual(0);
          }
        }
        for (const one of events) of(one).finish();
        for (const { prefill, decoding, running } of stats.figuresByUrl().values()) {
          expect([prefill, decoding, running]).toEqual([0, 0, 0]);
        }
        expect([stats.signalsOf(A).inFlight, stats.signalsOf(B).inFlight]).toEqual([0, 0]);
      }),
    );
  });

  it('tells requests apart that have the same id', () => {
    const { stats, attempt } = setUp();
    const first = attempt(A, request()).dispatch();
    attempt(A, request()).dispatch();
    first.finish();
    expect(stats.signalsOf(A).inFlight).toBe(1);
  });

  it('gives one live view of the signals of an engine', () => {
    const { clock, scraped, stats, attempt } = setUp();
    const signals = stats.signalsOf(A);
    expect(signals).toMatchObject({ inFlight: 0, qps: 0, engineWaiting: null, engineRunning: null });
    const one = attempt().dispatch();
    attempt().dispatch();
    scraped.set(A.id, readEngineStats('vllm:num_requests_running 5\nvllm:num_requests_waiting 7'));
    expect([signals.inFlight, signals.engineRunning, signals.engineWaiting]).toEqual([2, 5, 7]);
    expect(signals.qps).toBeCloseTo(2 / 60);
    one.finish();
    clock.pass(61);
    expect([signals.inFlight, signals.qps]).toEqual([1, 0]);
    expect(stats.signalsOf({ ...A })).toBe(signals);
  });

  it('takes the gaps between frames, for the window and for good', () => {
    const { clock, series, stats, attempt } = setUp();
    attempt().dispatch();
    const timer = stats.interToken(A, 'tiny');
    expect(stats.interToken(A, 'tiny')).toBe(timer);
    timer.observe(0.02);
    timer.observe(0.04);
    expect(stats.figuresOf(A.id)?.interToken).toBeCloseTo(0.03);
    const other = stats.interToken(A, 'unknown');
    expect(other).not.toBe(timer);
    other.observe(0.06);
    expect(stats.figuresOf(A.id)?.interToken).toBeCloseTo(0.04);
    clock.pass(61);
    expect(stats.figuresOf(A.id)?.interToken).toBeNull();
    expect(series.ofModel(A, 'tiny').interToken.count).toBe(2);
  });

  it('takes over a window that a reload changes, and keeps what it still holds', () => {
    const { clock, store, stats, attempt } = setUp();
    attempt().dispatch();
    clock.pass(30);
    attempt().dispatch();
    store.replace({ ...store.current, requestStatsWindow: 10 });
    expect(stats.figuresOf(A.id)?.qps).toBeCloseTo(1 / 10);
    store.replace({ ...store.current, requestStatsWindow: 120 });
    expect(stats.figuresOf(A.id)?.qps).toBeCloseTo(1 / 120);
    expect(stats.signalsOf(A)).toMatchObject({ inFlight: 2 });
  });

  describe('when the fleet changes', () => {
    it('forgets an engine that left, at once or when its last request has ended', () => {
      const { series, stats, attempt } = setUp();
      stats.retain({ engines: [A, B] });
      attempt(A).dispatch().finish();
      const last = attempt(B).dispatch();
      expect([...stats.figuresByUrl().keys()]).toEqual([A.url, B.url]);
      stats.retain({ engines: [] });
      expect([...stats.figuresByUrl().keys()]).toEqual([B.url]);
      expect(stats.figuresOf(B.id)).toMatchObject({ running: 1 });
      last.finish();
      expect(stats.figuresOf(B.id)).toBeNull();
      expect(stats.figuresByUrl().size).toBe(0);
      expect(series.byUrl.size).toBe(0);
    });

    it('keeps the counts of engines that stay', () => {
      const { series, stats, attempt } = setUp();
      stats.retain({ engines: [A] });
      attempt().dispatch().finish();
      attempt().dispatch();
      stats.retain({ engines: [{ ...A, labels: { changed: 'yes' } }, B] });
      expect(stats.figuresOf(A.id)).toMatchObject({ running: 1, finished: 1 });
      expect(series.byUrl.get(A.url)?.models.get('tiny')?.outcomes.get('done')).toBe(1);
    });

    it('shows engines of the fleet that had no request, with counts of zero', () => {
      const { stats } = setUp();
      stats.retain({ engines: [A] });
      expect(stats.figuresByUrl().get(A.url)).toMatchObject({
        running: 0,
        qps: 0,
        latency: null,
        uptime: null,
      });
    });

    it('counts a successor at the same address together with its predecessor', () => {
      const { series, stats, attempt } = setUp();
      const old = engine('http://10.0.0.7:8000', ['tiny'], 'uid-1');
      const successor = engine('http://10.0.0.7:8000', ['tiny'], 'uid-2');
      stats.retain({ engines: [old] });
      const last = attempt(old).dispatch();
      stats.retain({ engines: [successor] });
      attempt(successor).dispatch();
      expect(stats.signalsOf(successor).inFlight).toBe(1);
      expect([...stats.figuresByUrl()]).toMatchObject([[old.url, { running: 2 }]]);
      last.finish();
      expect([...stats.figuresByUrl()]).toMatchObject([[old.url, { running: 1 }]]);
      expect(series.byUrl.get(old.url)?.models.get('tiny')?.outcomes.get('done')).toBe(1);
    });

    it('keeps the counts of an adapter that was unloaded', () => {
      const { series, stats, attempt } = setUp();
      const before = engine('http://a:8000', ['tiny', 'idle', 'busy']);
      const after = engine('http://a:8000', ['tiny']);
      stats.retain({ engines: [before] });
      attempt(before, request('idle')).dispatch().finish({ outcome: 'failed' });
      attempt(before, request('busy')).dispatch();
      stats.retain({ engines: [after] });
      expect(stats.figuresOf(after.id)).toMatchObject({ running: 1, finished: 1 });
      expect(series.byUrl.get(after.url)?.models.has('idle')).toBe(false);
      stats.retain({ engines: [engine('http://a:8000', [])] });
      expect(stats.figuresOf(after.id)).toMatchObject({ running: 1, finished: 1 });
    });
  });

  it('names no model that the engine does not serve', () => {
    const { series, stats, attempt } = setUp();
    for (let i = 0; i < 50; i++)
      attempt(A, request(`made-up-${i}`))
        .dispatch()
        .finish();
    expect(stats.figuresOf(A.id)).toMatchObject({ finished: 50, running: 0 });
    expect([...(series.byUrl.get(A.url)?.models.keys() ?? [])]).toEqual(['unknown']);
  });

  it('counts further models together once an engine has too many', () => {
    const { series, stats, attempt } = setUp();
    const names = Array.from({ length: MAX_MODELS + 50 }, (_, i) => `adapter-${i}`);
    const many = engine('http://a:8000', names);
    for (const name of names) attempt(many, request(name)).dispatch().finish();
    expect(stats.figuresOf(many.id)).toMatchObject({ finished: MAX_MODELS + 50, running: 0 });
    expect(series.byUrl.get(many.url)?.models.size).toBe(MAX_MODELS + 1);
  });
});
