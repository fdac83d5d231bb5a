import { isDeepStrictEqual } from 'node:util';
import { rounded } from '../../src/core/live/live-view.js';
import { quantile } from '../../src/core/live/quantile.js';
import { MOST_VIEWERS } from '../../src/dashboard/live-feed.js';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, begin, chat, errorOf, frameReader, headOf, jsonOf } from '../support/http-client.js';
import { type LivePage, openLivePage } from '../support/live-page.js';
import { metric } from '../support/router-metrics.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const KEY = { authorization: 'Bearer boss' };
let engines: SimulatedEngine[];
let router: RunningRouter;
let running = false;
let admin: string;
const pages: Pick<LivePage, 'leave'>[] = [];

beforeAll(async () => {
  engines = await Promise.all(
    [1, 2].map(async () => startSimulatedEngine({ models: ['tiny'], tokens: 4, tokenInterval: 2 })),
  );
});
afterEach(async () => {
  for (const page of pages.splice(0)) page.leave();
  await stop();
});
afterAll(async () => {
  await Promise.all(engines.map(async (engine) => engine.close(0)));
});

const stop = async (): Promise<void> => {
  if (running) await router.close();
  running = false;
};
const start = async (...flags: string[]): Promise<void> => {
  router = await startTestRouter(engines, ['--engine-stats-interval', '0.1', ...flags]);
  running = true;
  admin = router.adminPort === null ? router.url : `http://127.0.0.1:${router.adminPort}`;
};
const open = async (headers = {}, url = admin): Promise<LivePage> => {
  const page = await openLivePage(url, headers);
  pages.push(page);
  return page;
};
const send = async (url = router.url): Promise<void> => {
  const content = 'of the same long beginning '.repeat(40);
  const messages = [{ role: 'user', content }];
  const body = chat({ stream: true, stream_options: { include_usage: true }, messages });
  expect((await ask(`${url}/v1/chat/completions`, { body })).status).toBe(200);
};
/** A quantile of a histogram in the text of `/metrics`. */
function quantileIn(text: string, name: string, engine: string, q: number): number | null {
  const [bounds, counts]: number[][] = [[], []];
  let below = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}_bucket{engine="${engine}"`)) continue;
    const bound = Number(/le="([^"]+)"/.exec(line)?.[1]?.replace('+Inf', 'Infinity'));
    const count = Number(line.slice(line.lastIndexOf(' ')));
    if (bound !== Infinity) bounds!.push(bound);
    counts!.push(count - below);
    below = count;
  }
  const value = quantile(bounds!, counts!, q);
  return value === null ? null : rounded(value);
}

describe('where the live page is', () => {
  const statuses = async (url: string): Promise<number[]> =>
    Promise.all(
      ['/dashboard', '/dashboard/page.js', '/dashboard/access'].map(
        async (path) => (await ask(url + path)).status,
      ),
    );

  it('is nowhere on the main port, unless --dashboard says so', async () => {
    await start();
    expect(await statuses(router.url)).toEqual([404, 404, 404]);
    expect((await ask(`${router.url}/dashboard/events`)).status).toBe(404);
    await stop();
    await start('--dashboard');
    expect(await statuses(router.url)).toEqual([200, 200, 200]);
    expect((await (await open()).next()).first).toBe(true);
  });

  it('is on the admin port alone, where there is one', async () => {
    await start('--admin-port', '0', '--dashboard', '--api-key', 'client');
    expect(await statuses(router.url)).toEqual([404, 404, 404]);
    expect((await ask(`${router.url}/dashboard/events`, { headers: { 'x-api-key': 'client' } })).status).toBe(
      404,
    );
    expect(await statuses(admin)).toEqual([200, 200, 200]);
  });

  it('loads nothing from elsewhere, runs no script of a stranger, and is never framed', async () => {
    await start('--admin-port', '0');
    const { headers, body } = await ask(`${admin}/dashboard`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    expect(body.toString()).not.toMatch(/<style|style=|<script(?![^>]* src=)|https?:\/\//);
    const { etag } = headers;
    expect((await ask(`${admin}/dashboard`, { headers: { 'if-none-match': String(etag) } })).status).toBe(
      304,
    );
    expect((await ask(`${admin}/dashboard/licences.txt`)).body.toString()).toMatch(/preact[\s\S]*uplot/);
  });

  it('gives no other file, and has one address', async () => {
    await start('--admin-port', '0');
    for (const name of [
      'main.js',
      '..%2fmain.js',
      '../main.js',
      '%2e%2e/package.json',
      'constructor',
      '__proto__',
    ]) {
      expect([name, (await ask(`${admin}/dashboard/${name}`)).status]).toEqual([name, 404]);
    }
    const { status, headers } = await ask(`${admin}/dashboard/`);
    expect([status, headers.location]).toEqual([308, '../dashboard']);
    expect((await ask(`${admin}/dashboard/events`, { method: 'HEAD' })).status).toBe(404);
  });

  it('shows nothing without the admin key', async () => {
    await start('--admin-port', '0', '--admin-key', 'boss');
    expect(jsonOf(await ask(`${admin}/dashboard/access`))).toEqual({ asks_for_key: true });
    expect((await ask(`${admin}/dashboard`)).status).toBe(200);
    expect((await ask(`${admin}/dashboard/events`)).status).toBe(401);
    expect((await ask(`${admin}/dashboard/events?key=boss`)).status).toBe(401);
    expect((await ask(`${admin}/dashboard/events`, { headers: { cookie: 'key=boss' } })).status).toBe(401);
    const news = await (await open(KEY)).next();
    const hidden = news.settings?.find(({ name }) => name === '--admin-key');
    expect(hidden).toMatchObject({ value: '(hidden)', origin: 'flag' });
    expect(JSON.stringify(news)).not.toContain('boss');
  });
});

describe('the events of the live page', () => {
  it('tell the numbers of /metrics', async () => {
    await start('--admin-port', '0');
    for (let n = 0; n < 6; n++) await send();
    const held = await headOf(
      begin(`${router.url}/v1/chat/completions`, {
        body: chat({ stream: true, max_tokens: 100_000, ignore_eos: true }),
      }),
    );
    pages.push({ leave: () => void held.destroy() });
    await frameReader(held)();
    const page = await open();
    const told = async (url: string): Promise<object> => {
      const text = (await ask(`${admin}/metrics`)).body.toString();
      const of = async (name: string, labels = ''): Promise<number> =>
        metric(admin, name, `="${url}"${labels}`);
      const ttft = (q: number) => quantileIn(text, 'vllm_router_time_to_first_token_seconds', url, q);
      return {
        prefill: await of('vllm_router_requests_in_flight', ',phase="prefill"'),
        decoding: await of('vllm_router_requests_in_flight', ',phase="decoding"'),
        hitRate: rounded(await of('vllm:gpu_prefix_cache_hit_rate')),
        ttft: { p50: ttft(0.5), p99: ttft(0.99) },
      };
    };
    // Both are read until they are of one moment.
    let live = await page.until(({ totals }) => totals.inFlight === 1);
    for (const { url } of engines) {
      await until(async () => {
        await page.next();
        live = await page.until(() => true);
        const { prefill, decoding, hitRate, ttft } = live.rows.get(url)!;
        return (
          hitRate !== null &&
          hitRate > 0 &&
          isDeepStrictEqual({ prefill, decoding, hitRate, ttft }, await told(url))
        );
      });
      expect(live.rows.get(url)).toMatchObject({ state: 'ready', kvUse: expect.any(Number) as number });
    }
    const flows = live.flows.map(({ engine, model }) => `${model} ${engine}`);
    expect(new Set(flows)).toEqual(new Set(engines.map(({ url }) => `tiny ${url}`)));
  });

  it('tell what prefixaware believes', async () => {
    await start('--admin-port', '0', '--routing-logic', 'prefixaware');
    await send();
    const live = await (await open()).until(({ rows }) => rows.size === 2);
    for (const { url } of engines) {
      expect(live.rows.get(url)).toMatchObject({
        pending: await metric(admin, 'vllm_router_pending_prompt_tokens', `="${url}"`),
        slowness: rounded(await metric(admin, 'vllm_router_engine_slowness', `="${url}"`)),
      });
    }
  });

  it('tell of an engine that is ejected, why, and that it is back', async () => {
    const dying = await startSimulatedEngine({ models: ['tiny'], tokens: 4, tokenInterval: 2 });
    router = await startTestRouter(
      [...engines, dying],
      ['--admin-port', '0', '--health-check-interval', '0.1'],
    );
    running = true;
    admin = `http://127.0.0.1:${router.adminPort}`;
    const page = await open();
    await page.next();
    const { port } = new URL(dying.url);
    await dying.close(0);
    const down = await page.until(({ rows }) => rows.get(dying.url)?.state === 'ejected');
    expect(down.rows.get(dying.url)?.reason).toBe('refused');
    expect(down.totals.states).toEqual({ ready: 2, ejected: 1 });
    expect(down.occurrences.at(-1)).toMatchObject({ kind: 'ejected', engine: dying.url, detail: 'refused' });
    const again = await startSimulatedEngine({
      port: Number(port),
      models: ['tiny'],
      tokens: 4,
      tokenInterval: 2,
    });
    const back = await page.until(({ rows }) => rows.get(dying.url)?.state === 'ready');
    expect(back.occurrences.at(-1)).toMatchObject({ kind: 'back', engine: dying.url });
    await again.close(0);
  });

  it('tell the last decisions with their costs, where they are kept', async () => {
    await start('--admin-port', '0', '--allow-explain', '--routing-logic', 'prefixaware');
    await send();
    const live = await (await open()).until(({ decisions }) => decisions.length === 1);
    const [line] = live.decisions;
    expect(live.router.explains).toBe(true);
    expect(line).toMatchObject({
      model: 'tiny',
      strategy: 'prefixaware',
      candidates: 2,
      attempts: 1,
      outcome: 'done',
    });
    expect(new Set([line!.engine, line!.runnerUp])).toEqual(new Set(engines.map(({ url }) => url)));
    expect(line!.cost).toBeGreaterThan(0);
    expect(line!.margin).toBeGreaterThanOrEqual(0);
  });

  it('go to so many pages and no more, and to the next when one leaves', async () => {
    await start('--admin-port', '0');
    for (let n = 0; n < MOST_VIEWERS; n++) await open();
    const refused = await ask(`${admin}/dashboard/events`);
    expect([refused.status, errorOf(refused).code]).toEqual([503, 'overloaded']);
    expect((await ask(`${admin}/metrics`)).status).toBe(200);
    pages.pop()!.leave();
    await until(async () => {
      const sent = begin(`${admin}/dashboard/events`);
      const { statusCode } = await headOf(sent);
      sent.destroy();
      return statusCode === 200;
    });
  });

  it('do not hold the router when it goes down', async () => {
    await start('--dashboard', '--shutdown-delay', '0', '--shutdown-timeout', '10');
    const page = await open();
    await page.next();
    const ended = expect(page.until(() => false)).rejects.toThrow('the events have ended');
    await router.shutDown();
    running = false;
    await ended;
  });

  it('are few bytes', async () => {
    await start('--admin-port', '0');
    const page = await open();
    expect(JSON.stringify(await page.next()).length).toBeLessThan(30_000);
    expect(JSON.stringify(await page.next()).length).toBeLessThan(4_000);
  });
});

describe('the live page of several workers', () => {
  let several: RouterProcess;
  afterEach(async () => {
    await several.kill();
  });

  it('shows all of them, whichever is asked', async () => {
    several = await startRouterProcess(engines, [
      ...['--workers', '2', '--dashboard', '--allow-explain', '--admin-key', 'boss'],
      ...['--shutdown-delay', '0', '--shutdown-timeout', '0'],
    ]);
    for (let n = 0; n < 4; n++) await send(several.url);
    for (let n = 0; n < 2; n++) {
      const page = await open(KEY, several.url);
      const live = await page.until(({ decisions, totals }) => decisions.length === 4 && totals.qps > 0);
      expect(live.router.workers).toEqual({ configured: 2, running: 2, restarts: 0 });
      expect(live.totals).toMatchObject({ engines: 2, qps: rounded(4 / 60) });
      expect(live.flows).toHaveLength(2);
      expect(live.settings.find(({ name }) => name === '--workers')).toMatchObject({
        value: '2',
        origin: 'flag',
      });
    }
    const act = async (path: string, body: object) =>
      ask(`${several.url}/admin/${path}`, { body, headers: { ...KEY } });
    const [{ url }] = engines as [SimulatedEngine, SimulatedEngine];
    expect(jsonOf(await act('engines/drain', { engine: url }))).toMatchObject({ changed: true });
    const page = await open(KEY, several.url);
    await page.until(({ rows }) => rows.get(url)?.state === 'drained');
    const before = await metric(several.url, 'vllm_router_requests_total', `engine="${url}"`, KEY);
    for (let n = 0; n < 6; n++) await send(several.url);
    expect(await metric(several.url, 'vllm_router_requests_total', `engine="${url}"`, KEY)).toBe(before);
    expect(jsonOf(await act('engines/return', { engine: url }))).toMatchObject({ changed: true });
    await page.until(({ rows }) => rows.get(url)?.state === 'ready');
    expect(jsonOf(await act('discovery/retry', {}))).toEqual({ retried: true });
    const nothing = await act('reload', {});
    expect([nothing.status, errorOf(nothing).code]).toEqual([409, 'nothing_to_reload']);
  });
});
