// B8: the demo runs on the simulator: a streamed answer comes at the engines' pace, and their metrics tell of hits in
// the prefix cache. No options.
import { join } from 'node:path';
import process from 'node:process';
import { Figures, percentile } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { ROOT, Running } from './processes.mjs';

/** Time per token of the demo's engines with one request: 6.5 ms of the profile, at a third of its speed. */
const TOKEN_MS = 19.8;

async function counter(engine, name) {
  const text = await (await fetch(`${engine}/metrics`)).text();
  return Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

export async function show() {
  const figures = new Figures();
  const demo = new Running(process.execPath, [join(ROOT, 'dist', 'main.js'), 'demo', '--port', '28461']);
  const [, router] = await demo.says(/Metrics: (http:\S+)\/metrics/);
  const engines = [...demo.output.matchAll(/^ {2}(http:\S+) {2}demo-small/gm)].map(([, url]) => url);
  figures.equal('engines of the demo', engines.length, 2);

  const at = [];
  const messages = [{ role: 'user', content: 'w '.repeat(40) }];
  const begun = performance.now();
  const { status } = await new LoadClient(router).request({
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: 'demo-small', stream: true, max_tokens: 50, messages }),
    onBody: (bytes) => {
      if (bytes.indexOf('"content":"') >= 0) at.push(performance.now() - begun);
    },
  }).answer;
  figures.equal('status of a streamed chat through the router', status, 200);
  const gaps = at.slice(1).map((time, index) => time - at[index]);
  figures.note('time to first token', `${(at[0] ?? NaN).toFixed(1)} ms`);
  const pace = percentile(gaps, 0.5);
  figures.check(
    'time between tokens, median',
    `${pace.toFixed(1)} ms`,
    `within 20 % of ${TOKEN_MS} ms`,
    Math.abs(pace / TOKEN_MS - 1) < 0.2,
  );
  for (const engine of engines) {
    const [hits, queries] = [
      await counter(engine, 'prefix_cache_hits_total'),
      await counter(engine, 'prefix_cache_queries_total'),
    ];
    figures.check(`${engine}: prefix cache hits`, `${hits} of ${queries} tokens`, '> 0', hits > 0);
    figures.note(`${engine}: generated`, `${await counter(engine, 'generation_tokens_total')} tokens`);
  }
  demo.kill();
  return figures;
}
