import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ask, chatOf, collect, fetchAnswer, headOf } from './engine-client.js';

const MAIN = join(__dirname, '../../../../dist/simulator/http/simulated-engine.main.js');

describe('the simulated engine as a process', () => {
  let child: ChildProcess;
  let url: string;
  beforeEach(async () => {
    const flags = ['--models', 'tiny, other', '--interval', '600000'];
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
