// E2: one Prometheus scrapes the demo, another one a router with everything on, both under load. Every expression of
// k8s/observability/ and those of production-stack's dashboard must have data at the second one; how many have data at the
// demo, which has nothing turned on, is told. Needs the Debian package prometheus.
//   --minutes 5
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { observedExpressions } from './observed-expressions.mjs';
import { startObservedFleet } from './observed-fleet.mjs';
import { ROOT, Running } from './processes.mjs';
import { needPrometheus, startPrometheus } from './prometheus.mjs';

const LOOK_MS = 10_000;
/** Takes the place of Grafana's intervals. */
const WINDOW = '1m';
const DEMO_STREAMS = 3;
const JOB = 'vllm-router';
const USAGE = { stream_options: { include_usage: true } };

/** The demo with clients that stream. */
async function startDemo() {
  const demo = new Running(process.execPath, [join(ROOT, 'dist', 'main.js'), 'demo', '--port', '28462']);
  const [, url] = await demo.says(/Metrics: (http:\S+)\/metrics/);
  const engines = [...demo.output.matchAll(/^ {2}(http:\S+) {2}demo-small/gm)].map(([, engine]) => engine);
  const client = new LoadClient(url);
  let over = false;
  const stream = async (number) => {
    for (let at = 0; !over; at += 1) {
      const messages = [{ role: 'user', content: `Question ${at} of client ${number}` }];
      const body = JSON.stringify({ model: 'demo-small', stream: true, max_tokens: 30, messages, ...USAGE });
      await client.request({ path: '/v1/chat/completions', body }).answer.catch(() => {});
    }
  };
  const traffic = Promise.all(Array.from({ length: DEMO_STREAMS }, (_, number) => stream(number)));
  const stop = async () => {
    over = true;
    await traffic;
    await demo.stop();
  };
  return { url, engines, stop };
}

export async function show(args) {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string', default: '5' } } });
  needPrometheus();
  const figures = new Figures();
  const parts = [
    { name: 'the demo', source: await startDemo() },
    { name: 'everything on', source: await startObservedFleet() },
  ];
  for (const part of parts) {
    const { url, engines } = part.source;
    part.prometheus = await startPrometheus({ [JOB]: [url], engines }, { scrapeSeconds: 5 });
    part.series = new Map();
  }
  const expressions = observedExpressions(WINDOW);
  const end = performance.now() + Number(values.minutes) * 60_000;
  const distinct = new Set(expressions.map(({ expression }) => expression));
  let looks = 0;
  do {
    await sleep(LOOK_MS);
    looks += 1;
    for (const { prometheus, series } of parts) {
      for (const expression of distinct) {
        const { length } = await prometheus.query(expression);
        const { most = 0, seen = 0 } = series.get(expression) ?? {};
        series.set(expression, { most: Math.max(most, length), seen: seen + (length > 0 ? 1 : 0) });
      }
    }
  } while (performance.now() < end);
  const [demo, full] = parts;
  for (const { source, name, expression } of expressions) {
    const { most, seen } = full.series.get(expression);
    const there = `${most} series, at ${seen} of ${looks} looks; demo ${demo.series.get(expression).most}`;
    figures.check(`${source}: ${name}`, there, 'data', most > 0);
  }
  const shown = expressions.filter(({ expression }) => demo.series.get(expression).most > 0);
  figures.note('expressions', expressions.length);
  figures.note('of these with data at the demo, too', shown.length);
  for (const { name, prometheus, source } of parts) {
    const targets = await prometheus.targets();
    const { health, lastError } = targets.find(({ labels }) => labels.job === JOB);
    figures.equal(`${name}: what the last scrape says`, `${health} ${lastError}`.trim(), 'up');
    await source.stop();
    await prometheus.stop();
  }
  return figures;
}
