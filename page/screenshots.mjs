// Renews the pictures of docs/dashboard.md and docs/api.md: simulated engines, the built router, and Chromium.
//   node page/screenshots.mjs [--seconds 150]     how long there is load before the first picture with it
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { startRouter } from '../dist/serve.js';
import { startSimulatedEngine } from '../dist/simulator/http/simulated-engine.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '150' } } });
const folder = new URL('../docs/dashboard/', import.meta.url);
const MODELS = ['llama-3.1-8b', 'llama-3.1-8b-sql', 'qwen2.5-7b'];
const TALKERS = 26;
const kind = { profile: 'h100-8b', speed: 0.33, lora: true };
const llama = { id: MODELS[0] };
const engines = await Promise.all([
  startSimulatedEngine({ ...kind, port: 9101, models: [llama] }),
  startSimulatedEngine({ ...kind, port: 9102, models: [llama, { id: MODELS[1], parent: MODELS[0] }] }),
  startSimulatedEngine({ ...kind, port: 9103, models: [llama] }),
  startSimulatedEngine({ ...kind, port: 9104, models: [{ id: MODELS[2] }] }),
]);
const flags = {
  '--host': '127.0.0.1',
  '--port': '0',
  '--admin-port': '0',
  '--log-level': 'error',
  '--service-discovery': 'static',
  '--static-backends': engines.map(({ url }) => url).join(','),
  '--routing-logic': 'prefixaware',
  '--engine-stats-interval': '2',
  '--admin-key': 'picture',
  '--shutdown-delay': '0',
};
const router = await startRouter([...Object.entries(flags).flat(), '--allow-explain'], {});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});

let talking = true;
async function talk(at) {
  for (let turn = 0; talking; turn++) {
    const content = `conversation ${at % 7} `.repeat(60 + (turn % 9)) + turn;
    await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: MODELS[[0, 0, 1, 2][at % 4]],
        stream: true,
        max_tokens: 20 + ((at * 7 + turn * 13) % 70),
        messages: [{ role: 'user', content }],
      }),
    })
      .then((answer) => answer.text())
      .catch(() => undefined);
    await sleep(200 + ((at * 131 + turn * 397) % 1_600));
  }
}

async function picture(name, { colorScheme = 'light', width = 1_280, height = 1_000 } = {}) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(`http://127.0.0.1:${router.adminPort}/dashboard`);
  await page.getByLabel('Admin key').fill('picture');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.locator('.fleet').waitFor();
  await page.mouse.move(0, 0);
  await sleep(2_500);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)) });
  await page.close();
}

async function apiPicture() {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 1_060 } });
  await page.goto(`${router.url}/docs#v1ChatCompletions`);
  await page.locator('.operation .inside').waitFor();
  await page.screenshot({ path: fileURLToPath(new URL('../api/page.png', folder)) });
  await page.close();
}

await sleep(6_000);
await apiPicture();
await picture('idle');
const talkers = Array.from({ length: TALKERS }, (_, at) => talk(at));
await sleep(Number(values.seconds) * 1_000);
await picture('load', { height: 1_420 });
await picture('dark', { colorScheme: 'dark' });
await picture('phone', { width: 375, height: 1_000 });
await engines[2].close(0);
await sleep(2_000);
await picture('down');
talking = false;
await Promise.all(talkers);
await browser.close();
await router.close();
await Promise.all(engines.map((engine) => engine.close(0)));
process.exit(0);
