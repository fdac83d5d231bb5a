import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestFacts } from '../../src/core/request-facts.js';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat, jsonOf } from '../support/http-client.js';
import { LearningStrategy } from '../support/learning-strategy.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

interface Message {
  readonly role: string;
  readonly content: string;
}

/** Text without an end that repeats nowhere. */
const words = (count: number): string => Array.from({ length: count }, (_, n) => `word${n}`).join(' ');
const user = (content: string): Message => ({ role: 'user', content });

describe('what a strategy learns of prompts and answers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prompt-facts-'));
  const log = join(folder, 'decisions.jsonl');
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'], tokens: 200 });
    const flags = ['--routing-logic', 'learning', '--decision-log', log];
    router = await startTestRouter([engine], flags, [LearningStrategy]);
  });
  afterAll(async () => {
    await router.close();
    await engine.close(0);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends a request; resolves with what the strategy was told of it, and with the answer's text. */
  const send = async (fields: object): Promise<{ request: RequestFacts; answer: string; body: Buffer }> => {
    const strategy = LearningStrategy.newest;
    const before = strategy.events.length;
    const told = await ask(`${router.url}/v1/chat/completions`, { body: chat(fields) });
    expect(told.status).toBe(200);
    await until(() => strategy.events.slice(before).at(-1)?.type === 'finished');
    const finished = strategy.events.at(-1);
    const answer = finished?.type === 'finished' ? String(finished.answer) : '';
    return { request: strategy.requests.at(-1)!, answer, body: told.body };
  };
  const namesOf = ({ prompt }: RequestFacts): number[] => [...(prompt?.blocks()?.names ?? [])];

  it('gives prompts that begin alike blocks that begin alike', async () => {
    const begin = words(300);
    const [one, two] = [
      await send({ messages: [user(`${begin} a`)] }),
      await send({ messages: [user(`${begin} b`)] }),
    ];
    const [a, b] = [namesOf(one.request), namesOf(two.request)];
    expect(a.length).toBe(Math.floor(one.request.prompt!.blocks()!.size / 256));
    expect(a.length).toBeGreaterThan(6);
    expect(a.slice(0, -1)).toEqual(b.slice(0, -1));
    const salted = await send({ messages: [user(`${begin} a`)], cache_salt: 's' });
    expect(namesOf(salted.request)[0]).not.toBe(a[0]);
  });

  it.each([true, false])('knows the blocks of the next turn from the answer (stream: %s)', async (stream) => {
    const messages = [user(`${String(stream)} ${words(100)}`)];
    const { request, answer, body } = await send({ messages, stream, max_tokens: 200 });
    const text = stream
      ? [...body.toString().matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join('')
      : jsonOf<{ choices: { message: Message }[] }>({ body }).choices[0]?.message.content;
    expect(answer).toBe(text);
    const expected = [...(request.prompt?.withAnswer(answer)?.names ?? [])];
    expect(expected.length).toBeGreaterThan(namesOf(request).length + 2);
    const next = await send({ messages: [...messages, { role: 'assistant', content: text }, user('and?')] });
    expect(namesOf(next.request).slice(0, expected.length)).toEqual(expected);
  });

  it('stands in the decision log as names alone', async () => {
    const { request } = await send({ messages: [user(`logged ${words(100)}`)] });
    const lineOf = (): Record<string, unknown> | undefined =>
      readFileSync(log, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find(({ id }) => id === request.id);
    await until(() => lineOf() !== undefined);
    const names = namesOf(request);
    expect(lineOf()).toMatchObject({
      unit: 'bytes',
      block_size: 256,
      prompt_size: request.prompt!.blocks()!.size,
      block_count: names.length,
      blocks: names.map((name) => name.toString(36)),
    });
    expect(readFileSync(log, 'utf8')).not.toContain('word7');
  });
});
