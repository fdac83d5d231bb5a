import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecisionRecord } from '../../src/core/decision.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat, jsonOf } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';
import { until } from '../support/until.js';

/** A strategy that remembers prompts and tells the other processes of them. */
const PLUGIN = `
import cluster from 'node:cluster';
export default ({ RoutingStrategy }) => ({ strategies: [class extends RoutingStrategy {
  static strategyName = 'remembering';
  known = new Set();
  fresh = [];
  engines = [];
  asked = 0;
  share = {
    take: () => (this.fresh.length === 0 ? null : this.fresh.splice(0)),
    heed: (from, prompts) => {
      for (const prompt of prompts) this.known.add(prompt);
      console.log(\`worker \${cluster.worker.id} hears \${prompts} of \${from}\`);
    },
    forget: (from) => console.log(\`worker \${cluster.worker.id} forgets \${from}\`),
  };
  retain(engines) {
    this.engines = engines;
  }
  rank(request, candidates) {
    const prompt = request.body.messages[0].content;
    const reason = this.known.has(prompt) ? 'known' : 'new';
    return candidates.map((candidate) => ({ candidate, reason }));
  }
  observe({ type, request }) {
    if (type !== 'dispatched') return;
    this.asked++;
    const prompt = request.body.messages[0].content;
    this.known.add(prompt);
    this.fresh.push(prompt);
  }
  figures() {
    return [
      { name: 'prompts_asked_total', type: 'counter', help: 'Prompts.', values: [{ labels: {}, value: this.asked }] },
      { name: 'prompts_known', type: 'gauge', help: 'Prompts.', values: this.engines.map(({ url }) => ({ labels: { engine: url }, value: this.known.size })) },
    ];
  }
}] });`;

describe('a strategy in two workers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workers-strategy-'));
  let engine: SimulatedEngine;
  let router: RouterProcess;

  beforeAll(async () => {
    const plugin = join(folder, 'remembering.mjs');
    writeFileSync(plugin, PLUGIN);
    engine = await startSimulatedEngine({ models: ['tiny'] });
    const workers = ['--workers', '2', '--shutdown-delay', '0'];
    const flags = [...workers, '--plugin', plugin, '--routing-logic', 'remembering', '--allow-explain'];
    router = await startRouterProcess([engine], flags);
  });
  afterAll(async () => {
    await router.kill();
    await engine.close(0);
    rmSync(folder, { recursive: true, force: true });
  });

  const reasonOf = async (content: string): Promise<string | undefined> => {
    const body = chat({ messages: [{ role: 'user', content }] });
    const headers = { 'x-vllm-router-explain': '1' };
    const answer = await ask(`${router.url}/v1/chat/completions`, { headers, body });
    return /reason=(\w+)/.exec(String(answer.headers['x-vllm-router-explain']))?.[1];
  };
  const heard = (text: string): boolean => router.output.some((line) => line.includes(text));

  it('knows in one what the other has learned', async () => {
    expect(await reasonOf('alpha')).toBe('new');
    await until(() => heard('hears alpha'));
    // Connections go to the workers in turn.
    expect(await Promise.all([reasonOf('alpha'), reasonOf('alpha')])).toEqual(['known', 'known']);
  });

  it('shows what both have counted, and once what both know', async () => {
    await until(async () => (await metric(router.url, 'vllm_router_prompts_asked_total')) === 3);
    expect(await metric(router.url, 'vllm_router_prompts_known')).toBe(1);
  });

  it('has its decisions told by any worker, each with the worker that made it', async () => {
    for (let n = 0; n < 2; n++) {
      const answer = await ask(`${router.url}/debug/routing?n=3`);
      const { decisions } = jsonOf<{ decisions: DecisionRecord[] }>(answer);
      expect(decisions).toHaveLength(3);
      expect(new Set(decisions.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
      const times = decisions.map(({ time }) => time);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    }
  });

  it('is told that a worker is gone, and the one that comes in its place learns anew', async () => {
    const { pid } = router.child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    process.kill(children[0]!, 'SIGKILL');
    await until(() => heard('worker 2 forgets 1'));
    await until(async () => (await metric(router.url, 'vllm_router_workers')) === 2);
    await ask(`${router.url}/ready`);
    await reasonOf('beta');
    await until(() => heard('hears beta'));
    expect(await Promise.all([reasonOf('beta'), reasonOf('beta')])).toEqual(['known', 'known']);
    // A counter does not go down with a worker that had told of it.
    expect(await metric(router.url, 'vllm_router_prompts_asked_total')).toBe(6);
  });
});
