import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat } from '../support/http-client.js';
import { namesIn, rowsBelow } from '../support/page-tables.js';
import { readProjectFile } from '../support/project-files.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

/** How the page marks each metric of production-stack's router. */
const MARKED = rowsBelow(readProjectFile('docs/migration/production-stack.md'), 'Metrics').flatMap(
  ([names = '', here = '']) => namesIn(names).map((name) => [name, here] as const),
);

describe('the table of metrics in docs/migration/production-stack.md', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  let text: string;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ profile: 'cpu', models: ['tiny'] });
    router = await startTestRouter([engine], ['--engine-stats-interval', '0.05']);
    const completions = `${router.url}/v1/chat/completions`;
    // Enough tokens that they come in several pieces, between which there is time.
    const streamed = { stream: true, stream_options: { include_usage: true }, max_tokens: 40 };
    expect((await ask(completions, { body: chat(streamed) })).status).toBe(200);
    expect((await ask(completions, { body: chat({ max_tokens: -1 }) })).status).toBe(400);
    // The engine's own figures come with the next scrape.
    await until(async () => {
      text = await (await fetch(`${router.url}/metrics`)).text();
      return text.includes('\nvllm:gpu_prefix_cache_hit_rate{');
    });
  });
  afterAll(async () => {
    await router.close();
    await engine.close(0);
  });

  it('marks each as same, differs or absent', () => {
    expect(MARKED.length).toBeGreaterThan(20);
    expect(MARKED.filter(([, here]) => !/^(same|differs|absent)$/.test(here))).toEqual([]);
  });

  it.each(MARKED)('%s: %s', (name, here) => {
    const samples = text.split('\n').filter((line) => new RegExp(`^${name}(_bucket)?[{ ]`).test(line));
    expect(samples.length > 0).toBe(here !== 'absent');
  });
});
