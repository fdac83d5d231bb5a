import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { readEngineStats, type EngineStats } from '../../../src/core/prometheus-text.js';
import { formatStats } from '../../../src/stats/stats-log.js';
import { StatsLogService } from '../../../src/stats/stats-log.service.js';
import type { RequestFigures } from '../../../src/stats/request-figures.js';
import type { EngineStatsScraper } from '../../../src/stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../../../src/stats/lifetime-series.js';
import { RequestStatsService } from '../../../src/stats/request-stats.service.js';
import { engine, request, settings, TestAttempt, TestClock } from '../stats/attempts.js';

const A = {
  ...engine('http://a:8000'),
  models: [
    { id: 'tiny', parent: null },
    { id: 'lora1', parent: 'tiny' },
  ],
};
const B = engine('http://b:8000');

const FIGURES: RequestFigures = {
  qps: 0.0166,
  timeToFirstToken: 0.5,
  interToken: null,
  latency: 1.25,
  decodingTime: 0.75,
  prefill: 1,
  decoding: 2,
  running: 3,
  finished: 7,
  uptime: 3.444,
};

describe('formatStats', () => {
  it('writes one record in the layout of the original', () => {
    const scraped = readEngineStats(
      'vllm:num_requests_running 3\nvllm:num_requests_waiting 1\nvllm:gpu_prefix_cache_hit_rate 0.256',
    );
    const text = formatStats([
      { engine: A, scraped, figures: FIGURES },
      { engine: B, scraped: null, figures: null },
    ]);
    expect(text.split('\n')).toEqual([
      '',
      '==================================================',
      'Server: http://a:8000',
      'Models:',
      '  - tiny',
      '  - lora1 (adapter for tiny)',
      ' Engine Stats: Running Requests: 3.0, Queued Requests: 1.0, GPU Cache Hit Rate: 0.26',
      ' Request Stats: QPS: 0.02, Avg Latency: 1.2500, Avg ITL: -1, Prefill Requests: 1, Decoding Requests: 2, ' +
        'Swapped Requests: 0, Finished: 7, Uptime: 3.44 sec',
      '--------------------------------------------------',
      'Server: http://b:8000',
      'Models:',
      '  - tiny',
      ' Engine Stats: No stats available',
      ' Request Stats: No stats available',
      '--------------------------------------------------',
      '==================================================',
      '',
    ]);
  });

  it('says -1 of what an engine does not tell', () => {
    const text = formatStats([{ engine: B, scraped: readEngineStats(''), figures: null }]);
    expect(text).toContain(
      ' Engine Stats: Running Requests: -1, Queued Requests: -1, GPU Cache Hit Rate: -1\n',
    );
  });
});

describe('StatsLogService', () => {
  let written: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    written = [];
    jest.spyOn(Logger.prototype, 'log').mockImplementation((text: string) => void written.push(text));
  });

  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  function service(logStats: boolean) {
    const store = settings({ logStats, logStatsInterval: 10 });
    const series = new LifetimeSeries();
    const clock = new TestClock();
    const scraper = { statsOf: (): EngineStats | null => null } as unknown as EngineStatsScraper;
    const stats = new RequestStatsService(store, scraper, series, clock);
    stats.retain({ engines: [A, B] });
    new TestAttempt(clock, A, request(), [stats]).dispatch();
    const log = new StatsLogService(store, new SchedulerRegistry(), stats, scraper);
    log.start();
    return { log, store };
  }

  it('writes all engines in one record, at each interval', () => {
    service(true);
    jest.advanceTimersByTime(9_999);
    expect(written).toEqual([]);
    jest.advanceTimersByTime(10_001);
    expect(written).toHaveLength(2);
    expect(written[0]).toContain('Server: http://a:8000');
    expect(written[0]).toContain('Prefill Requests: 1');
    expect(written[0]).toContain('Server: http://b:8000');
  });

  it('follows a reload that turns it on, changes its interval and turns it off', async () => {
    const { log, store } = service(false);
    jest.advanceTimersByTime(60_000);
    expect(written).toEqual([]);
    (await log.prepare({ ...store.current, logStats: true, logStatsInterval: 5 })).commit();
    jest.advanceTimersByTime(10_000);
    expect(written).toHaveLength(2);
    (await log.prepare({ ...store.current, logStats: false })).commit();
    jest.advanceTimersByTime(60_000);
    expect(written).toHaveLength(2);
  });

  it('ends with the application', async () => {
    const { log, store } = service(true);
    log.onModuleDestroy();
    (await log.prepare({ ...store.current })).commit();
    jest.advanceTimersByTime(60_000);
    expect(written).toEqual([]);
  });
});
