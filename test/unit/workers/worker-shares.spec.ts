import type { EngineStatsScraper } from '../../../src/stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../../../src/stats/lifetime-series.js';
import { RequestStatsService } from '../../../src/stats/request-stats.service.js';
import type { MetricJson, WholeShare } from '../../../src/workers/messages.js';
import { WorkerShares } from '../../../src/workers/worker-shares.js';
import { engine, request, settings, TestAttempt, TestClock } from '../stats/attempts.js';

const A = engine('http://a:8000');
const URLS = new Set([A.url]);
const NONE = new LifetimeSeries();

describe('what workers have counted', () => {
  /** One worker: `done` attempts of `seconds` each that ended well, and `open` ones. */
  function shareOf(done: number, seconds: number, open: number): WholeShare {
    const clock = new TestClock();
    const series = new LifetimeSeries();
    const scraper = { statsOf: () => null } as unknown as EngineStatsScraper;
    const stats = new RequestStatsService(settings(), scraper, series, clock);
    stats.retain({ engines: [A] });
    const attempt = (): TestAttempt => new TestAttempt(clock, A, request(), [stats, series]);
    for (let n = 0; n < done; n++) {
      const one = attempt();
      one.dispatch();
      clock.pass(seconds);
      one.finish();
    }
    for (let n = 0; n < open; n++) attempt().dispatch();
    return {
      strategy: [],
      figures: stats.sumsByEngine(),
      series: series.share(),
      incoming: new Map([['tiny', done + open]]),
      own: [counter(done)],
      process: [counter(1)],
    };
  }

  const counter = (value: number): MetricJson => ({
    name: 'things_total',
    help: 'Things.',
    type: 'counter',
    aggregator: 'sum',
    values: [{ labels: { kind: 'x' }, value }],
  });
  const outcomes = (shares: WorkerShares): unknown =>
    shares.lifetime([A], NONE).byUrl.get(A.url)?.models.get('tiny')?.outcomes.get('done');

  it('adds up: counters, histograms, requests in flight and weighted means', async () => {
    const shares = new WorkerShares();
    for (const worker of [1, 2]) shares.join(worker);
    shares.replace(1, shareOf(3, 1, 1));
    shares.replace(2, shareOf(1, 5, 2));
    expect(outcomes(shares)).toBe(4);
    const duration = shares.lifetime([A], NONE).byUrl.get(A.url)?.models.get('tiny')?.duration;
    expect([duration?.count, duration?.sum]).toEqual([4, 8]);
    const figures = shares.figuresByUrl(URLS).get(A.url);
    expect([figures?.prefill, figures?.finished, figures?.latency]).toEqual([3, 4, 2]);
    expect(shares.figuresOf(A.id)).toEqual(figures);
    expect(shares.incoming()).toEqual(new Map([['tiny', 7]]));
    expect(await shares.own([]).metrics()).toContain('things_total{kind="x"} 4\n');
    const processes = await shares.processes([counter(9)]).metrics();
    for (const worker of ['primary', '1', '2']) expect(processes).toContain(`{kind="x",worker="${worker}"}`);
  });

  it('keeps the counts of a worker that is gone, and forgets what it had in flight', async () => {
    const shares = new WorkerShares();
    shares.join(1);
    shares.replace(1, shareOf(3, 1, 2));
    await shares.leave(1);
    shares.join(1);
    shares.replace(1, shareOf(1, 1, 0));
    expect(outcomes(shares)).toBe(4);
    expect(shares.figuresByUrl(URLS).get(A.url)?.running).toBe(0);
    expect(shares.incoming()).toEqual(new Map([['tiny', 6]]));
    expect(await shares.own([]).metrics()).toContain('things_total{kind="x"} 4\n');
    await shares.leave(1);
    await shares.leave(1);
    expect(outcomes(shares)).toBe(4);
  });

  it('takes what has changed for what it is, not for more of it', () => {
    const shares = new WorkerShares();
    shares.join(1);
    shares.enter(1, shareOf(3, 1, 0));
    shares.enter(1, shareOf(5, 1, 0));
    expect(outcomes(shares)).toBe(5);
    expect(shares.incoming()).toEqual(new Map([['tiny', 5]]));
  });

  it('forgets engines that have left', () => {
    const shares = new WorkerShares();
    shares.join(1);
    shares.enter(1, shareOf(3, 1, 0));
    expect(shares.lifetime([], NONE).byUrl.size).toBe(0);
  });
});
