import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat } from '../support/http-client.js';
import { LearningStrategy } from '../support/learning-strategy.js';
import { startRouterProcess } from '../support/router-process.js';
import { flagsFor, startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

interface Line extends Record<string, unknown> {
  readonly run: string;
  readonly worker?: number;
  readonly session: string | null;
  readonly blocks: string[];
}

describe('--decision-log', () => {
  let folder: string;
  let path: string;
  let engine: SimulatedEngine;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
  });
  afterAll(async () => engine.close(0));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'decision-log-'));
    path = join(folder, 'decisions.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const lines = (): Line[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);

  it('writes one line for each request that was sent to an engine, without any text of it', async () => {
    const flags = ['--decision-log', path, '--routing-logic', 'learning', '--session-key', 'x-user-id'];
    const router = await startTestRouter([engine], flags, [LearningStrategy]);
    const completions = `${router.url}/v1/chat/completions`;
    const headers = { 'x-user-id': 'somebody', 'x-request-id': 'first' };
    const body = chat({ stream: true, stream_options: { include_usage: true } });
    const before = Date.now() / 1_000;
    await ask(completions, { headers, body });
    await ask(completions, { headers: { ...headers, 'x-request-id': 'second' }, body: chat() });
    await ask(completions, { body: { model: 'nobody-serves-this', messages: [] } });
    await ask(completions, { body: 'no json' });
    await router.close();
    const [first, second, ...more] = lines();
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      v: 1,
      id: 'first',
      model: 'tiny',
      path: '/v1/chat/completions',
      stream: true,
      strategy: 'learning',
      candidates: 1,
      engine: engine.url,
      outcome: 'done',
      status: 200,
      completion_tokens: 4,
    });
    expect(first?.['attempts']).toEqual([
      expect.objectContaining({ engine: engine.url, cost: 1.5, outcome: 'done', cause: null, status: 200 }),
    ]);
    expect(first?.['time']).toBeGreaterThan(before - 0.01);
    expect(first?.['ttft']).toBeGreaterThan(0);
    expect(second).toMatchObject({ id: 'second', stream: false, ttft: null, pieces: null });
    expect(first?.session).toMatch(/^[0-9a-f]{16}$/);
    expect(second?.session).toBe(first?.session);
    expect(second?.run).toBe(first?.run);
    expect(first?.worker).toBeUndefined();
    expect(readFileSync(path, 'utf8')).not.toMatch(/somebody|w1/);
  });

  it('has whole lines of all workers in one file, and the blocks of large bodies, which another thread reads', async () => {
    const router = await startRouterProcess(
      [engine],
      ['--workers', '2', '--shutdown-delay', '0', '--decision-log', path],
    );
    const completions = `${router.url}/v1/chat/completions`;
    const requests = 40;
    await Promise.all(Array.from({ length: requests }, async () => ask(completions, { body: chat() })));
    await until(() => lines().length === requests);
    expect(new Set(lines().map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    expect(new Set(lines().map(({ run }) => run)).size).toBe(1);

    const words = Array.from({ length: 200_000 }, (_, n) => `word${n}`).join(' ');
    for (const content of [words, words.slice(0, 100_000)]) {
      const told = lines().length;
      const body = chat({ messages: [{ role: 'user', content }] });
      expect((await ask(completions, { body })).status).toBe(200);
      await until(() => lines().length === told + 1);
    }
    const [large, small] = lines().slice(requests);
    expect(large?.blocks).toHaveLength(2_048);
    expect(large?.['prompt_size']).toBeGreaterThan(words.length);
    expect(small?.blocks.length).toBeGreaterThan(380);
    expect(large?.blocks.slice(0, small?.blocks.length)).toEqual(small?.blocks);
    await router.kill();
  });

  it.each(['1', '2'])('is an error at start where it cannot be written, with %s workers', async (workers) => {
    const bad = join(folder, 'none', 'decisions.jsonl');
    const args = flagsFor([engine], ['--workers', workers, '--decision-log', bad, '--log-level', 'error']);
    const main = join(__dirname, '../../dist/main.js');
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^--decision-log ".*decisions\.jsonl" cannot be written: ENOENT/),
    ]);
  });
});
