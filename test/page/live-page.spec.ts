import type { Browser, Page } from 'playwright-core';
import { amount, count, duration, percent, place } from '../../page/format.js';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, begin, chat, frameReader, headOf } from '../support/http-client.js';
import { openLivePage } from '../support/live-page.js';
import { metric } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';
import { openPage, type SeenPage, seriousFaults, startBrowser } from './support/browser.js';

const KEY = { authorization: 'Bearer boss' };
const MODEL = 'tiny';
let browser: Browser;
let engines: SimulatedEngine[];
let router: RunningRouter;
let admin: string;
let seen: SeenPage | null = null;
const streams: { destroy(): unknown }[] = [];

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
afterEach(async () => {
  await seen?.page.close();
  seen = null;
  for (const stream of streams.splice(0)) stream.destroy();
  await router.close();
  await Promise.all(engines.map(async (engine) => engine.close(0)));
});

const start = async (...flags: string[]): Promise<void> => {
  engines = await Promise.all(
    [1, 2, 3].map(async () => startSimulatedEngine({ models: [MODEL], tokens: 4, tokenInterval: 5 })),
  );
  router = await startTestRouter(engines, [
    ...['--admin-port', '0', '--engine-stats-interval', '0.2', '--health-check-interval', '0.5', ...flags],
  ]);
  admin = `http://127.0.0.1:${router.adminPort}`;
};
const open = async (look: Parameters<typeof openPage>[2] = {}): Promise<Page> => {
  seen = await openPage(browser, `${admin}/dashboard`, look);
  return seen.page;
};
const enter = async (page: Page): Promise<void> => {
  await page.getByLabel('Admin key').fill('boss');
  await page.getByRole('button', { name: 'Open' }).click();
};
const row = (page: Page, at: number) => page.locator(`[data-engine="${engines[at]!.url}"]`);
const cell = (page: Page, at: number, title: string) => row(page, at).locator(`td[data-label="${title}"]`);
const stream = async (tokens: number): Promise<void> => {
  const messages = [{ role: 'user', content: 'of the same long beginning '.repeat(40) }];
  const body = chat({ stream: true, max_tokens: tokens, ignore_eos: true, messages });
  const answer = await headOf(begin(`${router.url}/v1/chat/completions`, { body }));
  await frameReader(answer)();
  streams.push(answer);
};
const whole = async (requests: number): Promise<void> => {
  const messages = [{ role: 'user', content: 'of the same long beginning '.repeat(40) }];
  for (let n = 0; n < requests; n++) {
    await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true, messages }) });
  }
};

describe('the live page', () => {
  it('shows the numbers of /metrics', async () => {
    await start('--admin-key', 'boss');
    await whole(9);
    for (let n = 0; n < 3; n++) await stream(100_000);
    const page = await open();
    await enter(page);
    await row(page, 0).waitFor();
    const figure = (name: string, at: number, labels = '') =>
      metric(admin, name, `="${engines[at]!.url}"${labels}`, KEY);
    await until(async () => (await figure('vllm:gpu_prefix_cache_hit_rate', 2)) > 0);
    for (let at = 0; at < 3; at++) {
      // Rates sink as time goes on: page and metrics are read until they are of one moment.
      await until(async () => {
        const [qps, shown] = await Promise.all([
          figure('vllm:current_qps', at),
          cell(page, at, 'QPS').innerText(),
        ]);
        return shown.trim() === amount(Number(qps.toPrecision(4)));
      });
      await until(
        async () =>
          (await cell(page, at, 'Cache hits').innerText()).trim() ===
          percent(await figure('vllm:gpu_prefix_cache_hit_rate', at)),
      );
      const decoding = await figure('vllm_router_requests_in_flight', at, ',phase="decoding"');
      const prefill = await figure('vllm_router_requests_in_flight', at, ',phase="prefill"');
      expect((await cell(page, at, 'In flight').innerText()).split(/\s+/)).toEqual([
        count(prefill + decoding),
        count(prefill),
      ]);
      expect(await row(page, at).locator('.pill').innerText()).toBe('ready');
    }
    // Quantiles are not in /metrics, and their page has them from the same buckets; see test/e2e/dashboard.spec.ts.
    const events = await openLivePage(admin, KEY);
    const live = await events.until(({ rows }) => rows.size === 3);
    events.leave();
    const { p50, p99 } = live.rows.get(engines[0]!.url)!.ttft;
    await until(
      async () =>
        (await cell(page, 0, 'TTFT p50 p99').innerText()).replace(/\s+/g, ' ') ===
        `${duration(p50)} ${duration(p99)}`,
    );
    expect(seen!.complaints).toEqual([]);
  });

  it('turns an engine red that is killed, says so in words, and shows when it is back', async () => {
    await start();
    const page = await open();
    await row(page, 0).waitFor();
    const { port, url } = engines[0]!;
    await engines[0]!.close(0);
    await row(page, 0).locator('.pill.is-ejected').waitFor();
    expect(await row(page, 0).innerText()).toMatch(/ejected\s+refused/);
    const colour = (at: number): Promise<string> =>
      page.evaluate(
        `getComputedStyle(document.querySelector('[data-engine="${engines[at]!.url}"] .pill')).color`,
      );
    const [red, green] = [await colour(0), await colour(1)];
    expect(red).not.toBe(green);
    const event = (words: string) => page.locator('.events .what', { hasText: `${place(url)} ${words}` });
    await event('ejected: refused').waitFor();
    expect(await page.title()).toBe('(1 down) vllm-router');
    engines[0] = await startSimulatedEngine({ port, models: [MODEL] });
    await row(page, 0).locator('.pill.is-ready').waitFor();
    await event('answers again').waitFor();
    expect(seen!.complaints).toEqual([]);
  });

  it('lets an operator drain an engine and give it back, by the keyboard alone', async () => {
    await start('--admin-key', 'boss');
    const page = await open();
    await page.getByLabel('Admin key').waitFor();
    // The field has the focus.
    await page.keyboard.type('boss');
    await page.keyboard.press('Enter');
    await row(page, 1).waitFor();
    const drain = page.getByRole('button', { name: `Drain ${place(engines[1]!.url)}` });
    await drain.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await drain.focus();
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Drain' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(`${place(engines[1]!.url)} gets no new requests.`).waitFor();
    await row(page, 1).locator('.pill.is-drained').waitFor();
    await page.getByRole('button', { name: `Return ${place(engines[1]!.url)}` }).click();
    await row(page, 1).locator('.pill.is-ready').waitFor();
    await page.getByRole('button', { name: 'Retry discovery' }).click();
    await page.getByText('The discovery has begun anew').waitFor();
    expect(seen!.complaints).toEqual([]);
    await page.getByRole('button', { name: 'Reload files' }).click();
    await page.getByText('No file is followed').waitFor();
  });

  it('says that a key is wrong, and forgets the right one when told', async () => {
    await start('--admin-key', 'boss');
    const page = await open();
    await page.getByLabel('Admin key').fill('guess');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('This is not the key of this router.').waitFor();
    await enter(page);
    await page.getByRole('button', { name: 'Forget key' }).click();
    await page.getByLabel('Admin key').waitFor();
    const kept = await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]');
    expect(kept).toEqual([0, 0, '']);
  });

  it('says when the router is gone, keeps what it knew, and goes on when it is back', async () => {
    await start();
    const page = await open();
    await row(page, 0).waitFor();
    const port = String(router.adminPort);
    await router.close();
    await page.getByText('Connection lost.').waitFor();
    expect(await row(page, 0).isVisible()).toBe(true);
    router = await startTestRouter(engines, ['--admin-port', port]);
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('Connection lost.').waitFor({ state: 'detached' });
    await page.locator('.connection.is-live').waitFor();
  });

  it('says what is off or empty, and how to change that', async () => {
    await start();
    const page = await open();
    await page.getByText('Decisions are not kept.').waitFor();
    await page.getByText('--allow-explain').first().waitFor();
    await page.getByText('Read only').waitFor();
    await page.getByText('No request has ended in the last seconds.').waitFor();
    expect(await page.getByRole('button', { name: /^Drain/ }).count()).toBe(0);
    await page.getByLabel('Find settings').fill('stall');
    await page.getByText('--stall-timeout').waitFor();
    expect(seen!.complaints).toEqual([]);
  });
});

describe.each([
  ['light', {}],
  ['dark', { colorScheme: 'dark' as const }],
  ['on a phone', { width: 375 }],
  ['dark on a phone', { colorScheme: 'dark' as const, width: 375 }],
])('the live page, %s', (_name, look) => {
  it('has no serious fault for axe, and nothing beside the screen', async () => {
    await start('--admin-key', 'boss', '--allow-explain', '--routing-logic', 'prefixaware');
    await whole(4);
    await stream(100_000);
    const page = await open(look);
    await page.getByLabel('Admin key').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await enter(page);
    await engines[2]!.close(0);
    await row(page, 2).locator('.pill.is-ejected').waitFor();
    await page.locator('.decisions tbody tr').first().waitFor();
    await page.locator('.chart canvas').first().waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    const [wide, window] = await page.evaluate<number[]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(wide).toBe(window);
    await page
      .getByRole('button', { name: /^Drain/ })
      .first()
      .click();
    expect(await seriousFaults(page)).toEqual([]);
    expect(seen!.complaints).toEqual([]);
  });
});
