import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { Settings } from '../../../src/config/settings.schema.js';
import type { EngineAccess } from '../../../src/security/engine-access.js';
import { EngineStatsScraper } from '../../../src/stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../../../src/stats/lifetime-series.js';
import { engine, settings } from './attempts.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const waiting =
  (count: number): Answer =>
  (_request, response) =>
    response.end(`vllm:num_requests_waiting{engine="0"} ${count}.0\n`);

/** An engine's `/metrics` on a socket; `answer` may be replaced between scrapes. */
class MetricsServer {
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;

  constructor(public answer: Answer) {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      this.answer(request, response);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening));
    return this;
  }

  get engine() {
    return engine(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1000) throw new Error(`never held: ${holds.toString()}`);
    await pause(5);
  }
}

describe('EngineStatsScraper', () => {
  const servers: MetricsServer[] = [];
  const scrapers: EngineStatsScraper[] = [];

  beforeEach(() => {
    // Ticks come when a test says so; sockets keep their own time.
    jest.useFakeTimers({
      doNotFake: [
        'setTimeout',
        'clearTimeout',
        'setImmediate',
        'clearImmediate',
        'nextTick',
        'queueMicrotask',
        'performance',
        'Date',
        'hrtime',
      ],
    });
    Logger.overrideLogger(false);
  });

  afterEach(async () => {
    for (const made of scrapers.splice(0)) {
      made.onModuleDestroy();
      made.beforeApplicationShutdown();
    }
    await Promise.all(servers.splice(0).map((server) => server.close()));
    jest.useRealTimers();
    Logger.overrideLogger(['error', 'warn', 'log']);
  });

  async function serve(answer: Answer): Promise<MetricsServer> {
    const server = await new MetricsServer(answer).listen();
    servers.push(server);
    return server;
  }

  function scraper(some: Partial<Settings> = {}, access?: EngineAccess) {
    const store = settings({ engineStatsInterval: 30, ...some });
    const series = new LifetimeSeries();
    const schedulers = new SchedulerRegistry();
    const made = new EngineStatsScraper(store, schedulers, series, access);
    scrapers.push(made);
    made.start();
    return { scraper: made, series, schedulers, store };
  }

  it('scrapes an engine as soon as it joins, then at each interval', async () => {
    const server = await serve(waiting(3));
    const { scraper: it } = scraper();
    expect(it.statsOf(server.engine.id)).toBeNull();
    it.retain({ engines: [server.engine] });
    await until(() => it.statsOf(server.engine.id)?.waiting === 3);
    server.answer = waiting(4);
    it.retain({ engines: [server.engine] });
    jest.advanceTimersByTime(29_000);
    expect(server.requests).toHaveLength(1);
    jest.advanceTimersByTime(1_000);
    await until(() => it.statsOf(server.engine.id)?.waiting === 4);
    expect(server.requests.map(({ url }) => url)).toEqual(['/metrics', '/metrics']);
  });

  it('sends the API key as a bearer token', async () => {
    const server = await serve(waiting(0));
    const { scraper: it } = scraper({}, {
      keyOf: (url: string) => (url === server.engine.url ? 'secret' : null),
    } as EngineAccess);
    it.retain({ engines: [server.engine] });
    await until(() => it.statsOf(server.engine.id) !== null);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('waits for no engine that hangs, and does not ask it twice at once', async () => {
    const hanging = await serve(() => {});
    const healthy = await serve(waiting(1));
    const { scraper: it } = scraper();
    it.retain({ engines: [hanging.engine, healthy.engine] });
    await until(() => it.statsOf(healthy.engine.id)?.waiting === 1 && hanging.requests.length === 1);
    healthy.answer = waiting(2);
    jest.advanceTimersByTime(60_000);
    await until(() => it.statsOf(healthy.engine.id)?.waiting === 2);
    expect(hanging.requests).toHaveLength(1);
    expect(it.statsOf(hanging.engine.id)).toBeNull();
  });

  it('gives up on an engine after the interval, and asks it again', async () => {
    const server = await serve(() => {});
    const { scraper: it, series } = scraper({ engineStatsInterval: 0.05 });
    it.retain({ engines: [server.engine] });
    await until(() => series.byUrl.get(server.engine.url)?.scrapeFailures === 1);
    server.answer = waiting(5);
    jest.advanceTimersByTime(50);
    await until(() => it.statsOf(server.engine.id)?.waiting === 5);
  });

  it.each<[string, Answer]>([
    [
      'answers with an error',
      (_request, response) => response.writeHead(500).end('vllm:num_requests_waiting 9'),
    ],
    ['breaks off', (request) => request.socket.destroy()],
  ])('drops the figures of an engine that %s, and counts that', async (_what, fault) => {
    const server = await serve(waiting(1));
    const { scraper: it, series } = scraper();
    it.retain({ engines: [server.engine] });
    await until(() => it.statsOf(server.engine.id) !== null);
    server.answer = fault;
    jest.advanceTimersByTime(30_000);
    await until(() => it.statsOf(server.engine.id) === null);
    expect(series.byUrl.get(server.engine.url)?.scrapeFailures).toBe(1);
    server.answer = waiting(2);
    jest.advanceTimersByTime(30_000);
    await until(() => it.statsOf(server.engine.id)?.waiting === 2);
    expect(series.byUrl.get(server.engine.url)?.scrapeFailures).toBe(1);
    expect(it.alive).toBe(true);
  });

  it('forgets an engine that leaves, and ends its scrape without counting a failure', async () => {
    const server = await serve(() => {});
    const { scraper: it, series } = scraper();
    it.retain({ engines: [server.engine] });
    await until(() => server.requests.length === 1);
    const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
    it.retain({ engines: [] });
    await closed;
    expect(it.statsOf(server.engine.id)).toBeNull();
    expect(series.byUrl.size).toBe(0);
    jest.advanceTimersByTime(30_000);
    expect(server.requests).toHaveLength(1);
  });

  it('follows an interval that a reload changes, once it is committed', async () => {
    const server = await serve(waiting(1));
    const { scraper: it, store } = scraper();
    it.retain({ engines: [server.engine] });
    await until(() => it.statsOf(server.engine.id) !== null);
    const change = await it.prepare({ ...store.current, engineStatsInterval: 5 });
    jest.advanceTimersByTime(29_000);
    expect(server.requests).toHaveLength(1);
    change.commit();
    jest.advanceTimersByTime(5_000);
    await until(() => server.requests.length === 2);
    await (await it.prepare({ ...store.current, engineStatsInterval: 1 })).discard();
    jest.advanceTimersByTime(4_000);
    expect(server.requests).toHaveLength(2);
  });

  it('is alive until its loop ends without being told to', () => {
    const { scraper: it, schedulers } = scraper();
    expect(it.alive).toBe(true);
    for (const name of schedulers.getIntervals()) schedulers.deleteInterval(name);
    expect(it.alive).toBe(false);
    it.onModuleDestroy();
    expect(it.alive).toBe(true);
  });

  it('shares one scheduler with another router', () => {
    const schedulers = new SchedulerRegistry();
    for (let i = 0; i < 2; i++) {
      const one = new EngineStatsScraper(settings(), schedulers, new LifetimeSeries());
      scrapers.push(one);
      one.start();
    }
    expect(schedulers.getIntervals()).toHaveLength(2);
  });
});
