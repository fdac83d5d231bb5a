import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readEngineArguments } from '../../../src/simulator/engine-arguments.js';
import { ask, chatOf, collect, fetchAnswer, headOf } from './http/engine-client.js';

const MAIN = join(__dirname, '../../../dist/main.js');

describe('vllm-router engine', () => {
  let child: ChildProcess;
  let url: string;
  beforeEach(async () => {
    const flags = ['engine', '--port', '0', '--model', 'tiny, other', '--itl', '600000'];
    child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await collect(child.stdout!, (text) => text.endsWith('\n'));
    ({ url } = JSON.parse(line) as { url: string });
  });
  afterEach(() => child.kill('SIGKILL'));

  it('refuses at once and leaves streams hanging on SIGTERM, and ends when its clients have left', async () => {
    const answer = await headOf(
      ask(`${url}/v1/chat/completions`, { body: chatOf({ model: 'other', stream: true }) }),
    );
    await collect(answer, (text) => text.includes('"content":" w'));
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    let refused = false;
    while (!refused) {
      refused = await fetchAnswer(`${url}/health`).then(
        () => false,
        () => true,
      );
    }
    expect(child.exitCode).toBeNull();
    expect(answer.destroyed).toBe(false);
    answer.destroy();
    expect(await exited).toEqual([0, null]);
  });

  it('closes its connections where they stand on SIGKILL', async () => {
    const answer = await headOf(ask(`${url}/v1/chat/completions`, { body: chatOf({ stream: true }) }));
    const failed = once(answer, 'error');
    await collect(answer, (text) => text.includes('"content":" w')).catch(() => '');
    child.kill('SIGKILL');
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('takes faults and tells its figures over its control routes', async () => {
    await fetchAnswer(`${url}/sim/fault`, { body: { status: 500, times: 1 } });
    expect((await fetchAnswer(`${url}/v1/chat/completions`, { body: chatOf() })).status).toBe(500);
    const stats: unknown = JSON.parse((await fetchAnswer(`${url}/sim/stats`)).body.toString());
    expect(stats).toMatchObject({ requestCount: 1, inFlight: 0, aborted: 0 });
  });
});

describe('the flags of vllm-router engine', () => {
  it('are those of vllm serve', () => {
    const { options } = readEngineArguments(
      ['--served-model-name', 'a,b', '--lora-modules', 'x=/adapters/x', '--max-num-seqs=3', '--speed', '2'],
      { VLLM_SERVER_DEV_MODE: '1', VLLM_API_KEY: 'k' },
    );
    expect(options).toMatchObject({ lora: true, devMode: true, apiKey: 'k', speed: 2, loraUpdating: false });
    expect(options.models).toMatchObject([
      { id: 'a', maxModelLen: 131_072 },
      { id: 'b' },
      { id: 'x', root: '/adapters/x', parent: 'a' },
    ]);
    expect(options.profile).toMatchObject({ name: 'h100-8b', maxSequences: 3 });
  });

  it('tells every problem in a line of its own', () => {
    const wrong = [
      '--port',
      '70000',
      '--profile',
      'tpu',
      '--nope',
      '--block-size',
      '1.5',
      '--fault',
      '{"x":1}',
    ];
    const problems = [
      '--nope: there is no such flag',
      '--port 70000: a whole number from 0 to 65535',
      '--profile tpu: one of h100-8b, l4-8b, cpu, instant',
      '--block-size 1.5: a whole number from 1 to 1000000000',
      '--fault: a fault has no field "x"',
    ];
    let told: unknown = null;
    try {
      readEngineArguments(wrong, {});
    } catch (error) {
      told = (error as { problems: unknown }).problems;
    }
    expect(told).toEqual(problems);
  });

  it('keep prompts within the cache', () => {
    const small = ['--profile', 'l4-8b', '--max-model-len', '40000'];
    expect(() => readEngineArguments(small, {})).toThrow(/--max-model-len 40000: the KV cache holds 27184/);
  });
});
