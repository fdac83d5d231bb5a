import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type DemoSurroundings, runDemo } from '../../../src/demo/demo.command.js';
import { fetchAnswer } from '../simulator/http/engine-client.js';

/** Surroundings in which the second engine stands for the router, and everything printed is kept. */
class Stage implements DemoSurroundings {
  text = '';
  flags: readonly string[] = [];
  closed = 0;
  stop: () => void = () => {};
  private printed: () => void = () => {};

  readonly startRouter: DemoSurroundings['startRouter'] = async (argv) => {
    this.flags = argv;
    const close = async (): Promise<void> => void (this.closed += 1);
    return { url: this.backends()[1] ?? '', close };
  };

  readonly print = (text: string): void => {
    this.text += text;
    this.printed();
  };

  async stopped(): Promise<void> {
    return new Promise((resolve) => (this.stop = resolve));
  }

  backends(): string[] {
    return (this.flags[this.flags.indexOf('--static-backends') + 1] ?? '').split(',');
  }

  async untilPrinted(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise<void>((resolve) => (this.printed = resolve));
  }
}

const FAST = ['--speed', '1000'];

describe('the demo', () => {
  it('prints what runs, a line to paste, and the words of a streamed answer', async () => {
    const stage = new Stage();
    await runDemo([...FAST, '--port', '1', '--once'], stage);
    const [, second = ''] = stage.backends();
    expect(stage.text).toContain(`${second}  demo-small, demo-small-sql`);
    expect(stage.text).toContain(
      `curl -N ${second}/v1/chat/completions -H 'content-type: application/json' -d '{"model"`,
    );
    expect(stage.text).toMatch(/Hello! These words come from a simulated vLLM engine/);
    expect(stage.text).toMatch(/\(\d\d tokens, the first after \d+ ms\)/);
    // The second engine stands for the router and met the prompt four times.
    expect(stage.text).toMatch(/found in their prefix caches:\n {2}\S+ {2}0 of 0\n {2}\S+ {2}48 of \d+\n/);
    expect(stage.text).not.toContain('\u001b');
    expect(stage.flags).toEqual(expect.arrayContaining(['--service-discovery', 'static', '--routing-logic']));
    expect(stage.closed).toBe(1);
    await expect(fetchAnswer(`${second}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('stays until it is stopped, then closes everything', async () => {
    const stage = new Stage();
    const ended = runDemo([...FAST, '--port', '1'], stage);
    await stage.untilPrinted(/Ctrl-C to stop/);
    const [first = ''] = stage.backends();
    expect(stage.text).toMatch(/\/dashboard\n.*\/metrics .*\/health/);
    expect(stage.flags).toEqual(expect.arrayContaining(['--dashboard', '--allow-explain']));
    expect((await fetchAnswer(`${first}/health`)).status).toBe(200);
    stage.stop();
    await ended;
    expect(stage.closed).toBe(1);
    await expect(fetchAnswer(`${first}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says that its port is in use and takes a free one', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as AddressInfo;
    const stage = new Stage();
    await runDemo([...FAST, '--port', String(port), '--once'], stage);
    const taken = stage.flags[stage.flags.indexOf('--port') + 1];
    expect(stage.text).toContain(`Port ${port} is in use, so the router takes ${taken}.`);
    expect(taken).not.toBe(String(port));
    busy.close();
  });

  it('closes the engines when the router cannot start', async () => {
    const stage = new Stage();
    const start = stage.startRouter;
    const failing: DemoSurroundings = {
      print: stage.print,
      stopped: async () => stage.stopped(),
      startRouter: async (argv, env) => {
        await start(argv, env);
        throw new Error('no router today');
      },
    };
    await expect(runDemo(FAST, failing)).rejects.toThrow('no router today');
    const [first = ''] = stage.backends();
    await expect(fetchAnswer(`${first}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each([
    [['--port', 'x'], '--port x: a port is a number from 1 to 65535'],
    [['--port', '70000'], '--port 70000: a port is a number from 1 to 65535'],
    [['--speed', '0'], '--speed 0: a factor from 0.01 to 1000'],
  ])('refuses %j in one sentence', async (argv, problem) => {
    await expect(runDemo(argv, new Stage())).rejects.toMatchObject({ problems: [problem] });
  });

  it('refuses a flag it does not know', async () => {
    await expect(runDemo(['--engines', '3'], new Stage())).rejects.toThrow(/--engines/);
  });
});
