// E1: the live page in a real Chromium. A killed engine is to turn red on it within 2 s under load, and within a probe
// interval and a second without; what it shows is to equal /metrics, and its console is to stay empty.
//   --workers 1     processes of the router
//   --kills 5       engines that are killed under load, one after the other
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures, Missing, spread } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startRouter, startSimulatedEngine, staticFleet, until } from './processes.mjs';

const MODEL = 'sim';
/** Requests a second. */
const RATE = 40;
/** Seconds between two probes of /health: the default. */
const PROBE = 5;
const KEY = 'show';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      workers: { type: 'string', default: '1' },
      kills: { type: 'string', default: '5' },
    },
  });
  if (!existsSync(CHROMIUM)) throw new Missing(`Chromium at ${CHROMIUM}: apt-get install -y chromium`);
  const { chromium } = await import('playwright-core');
  const figures = new Figures();
  const kills = Number(values.kills);
  const flags = ['--model', MODEL, '--ttft', '20', '--itl', '5'];
  const engines = await Promise.all(Array.from({ length: kills + 3 }, () => startSimulatedEngine(flags)));
  const urls = engines.map(({ url }) => url);
  const router = await startRouter([
    ...staticFleet(urls, MODEL),
    ...['--routing-logic', 'roundrobin', '--workers', values.workers, '--dashboard', '--admin-key', KEY],
    ...['--health-check-interval', String(PROBE)],
  ]);
  const headers = { authorization: `Bearer ${KEY}` };
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const client = new LoadClient(router.url);
  let load;
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('console', (message) => {
      if (message.type() !== 'log') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${router.url}/dashboard`);
    await page.getByLabel('Admin key').fill(KEY);
    await page.getByRole('button', { name: 'Open' }).click();
    const pill = (url, state) => page.locator(`[data-engine="${url}"] .pill.is-${state}`);
    for (const url of urls) await pill(url, 'ready').waitFor();

    /** Seconds from the death of an engine to its red on the page. */
    const untilRed = async (engine) => {
      const killed = performance.now();
      engine.kill();
      await pill(engine.url, 'ejected').waitFor({ timeout: 30_000 });
      return (performance.now() - killed) / 1_000;
    };

    const body = JSON.stringify({
      model: MODEL,
      max_tokens: 20,
      messages: [{ role: 'user', content: 'hello' }],
    });
    const ask = () =>
      void client.request({ path: '/v1/chat/completions', body }).answer.catch(() => undefined);
    load = setInterval(ask, 1_000 / RATE);
    await sleep(3_000);
    const shown = await page.locator('.tile:has(dt:text-is("Requests")) .value').innerText();
    const shownQps = Number.parseFloat(shown);
    figures.check('requests a second on the page', shownQps, '> 0', shownQps > 0);
    const busy = [];
    for (let n = 0; n < kills; n++) {
      busy.push(await untilRed(engines[n]));
      await sleep(700 + 130 * n);
    }
    figures.note('killed under load, red after', spread(busy.map((seconds) => seconds * 1_000)));
    figures.below('the latest of them', Math.max(...busy), 2, 's');
    clearInterval(load);
    await until('nothing is in flight', async () => {
      const text = await (await fetch(`${router.url}/metrics`, { headers })).text();
      return [...text.matchAll(/^vllm_router_requests_in_flight\{[^}]*\} (\d+)$/gm)].every(
        ([, n]) => n === '0',
      );
    });
    const idle = [await untilRed(engines[kills]), await untilRed(engines[kills + 1])];
    figures.note('killed without load, red after', spread(idle.map((seconds) => seconds * 1_000)));
    figures.below('the latest of them', Math.max(...idle), PROBE + 1, 's');
    const red = await page.locator('.pill.is-ejected').count();
    const text = await (await fetch(`${router.url}/metrics`, { headers })).text();
    const out = [...text.matchAll(/^vllm_router_engine_state\{[^}]*state="(?:ejected|probing)"\} 1$/gm)]
      .length;
    figures.equal(
      'engines that are out, on the page and in /metrics',
      red + (await page.locator('.pill.is-probing').count()),
      out,
    );
    figures.equal('complaints of the console', complaints.length, 0);
  } finally {
    clearInterval(load);
    await browser.close();
    await client.close?.();
    await router.stop();
    await Promise.all(engines.map((engine) => engine.stop()));
  }
  return figures;
}
