import { stripVTControlCharacters } from 'node:util';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { topCommand } from '../../src/top/top.command.js';
import { ask, chat } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const DEAD = 'http://127.0.0.1:9';
const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?1049l';

/** Runs the command with an output of its own. */
function start(
  argv: readonly string[],
  { isTTY = false, env = {} }: { isTTY?: boolean; env?: NodeJS.ProcessEnv } = {},
) {
  const stop = new AbortController();
  const told = { text: '' };
  let press: (key: string) => void = () => undefined;
  let resized: () => void = () => undefined;
  const output = {
    isTTY,
    columns: 120,
    rows: 40,
    write: (text: string) => (told.text += text),
    on: (_event: 'resize', heard: () => void) => (resized = heard),
  };
  const keys = (heard: (key: string) => void) => {
    press = heard;
    return () => undefined;
  };
  const code = topCommand(argv, { output, env, keys, stop: stop.signal });
  return { code, told, output, stop, press: (key: string) => press(key), resize: () => resized() };
}
const refusal = async (...argv: string[]): Promise<string> =>
  start(['--once', '--url', ...argv]).code.then(
    () => 'none',
    (error: Error) => error.message,
  );

describe('a router in the terminal', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'], tokens: 3 });
    const fleet = [engine, { url: DEAD, models: ['tiny'] }];
    router = await startTestRouter(fleet, ['--admin-port', '0', '--admin-key', 'boss']);
    for (let sent = 0; sent < 4; sent++) {
      const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) });
      expect(answer.status).toBe(200);
    }
  });
  afterAll(async () => {
    await router.close();
    await engine.close();
  });
  const admin = () => `http://127.0.0.1:${router.adminPort}`;

  it('is printed once where the output is no terminal, with the figures of /metrics', async () => {
    const { code, told } = start(['--url', admin(), '--admin-key', 'boss']);
    expect(await code).toBe(0);
    const lines = told.text.split('\n');
    expect(lines[1]).toBe('ready');
    expect(told.text).toContain('1 of 2 engines ready');
    expect(told.text).toMatch(/127\.0\.0\.1:9 +ejected .*\n {2}because: refused\n/);
    expect(told.text).not.toContain('\x1b');
    const done = await metric(admin(), 'vllm_router_requests_total', 'outcome="done"', {
      authorization: 'Bearer boss',
    });
    expect(told.text).toContain(`attempts: done ${done}`);
  });

  it('is told as JSON, by the key of the environment', async () => {
    const { code, told } = start(['--url', admin(), '--json'], { env: { VLLM_ROUTER_ADMIN_KEY: 'boss' } });
    expect(await code).toBe(0);
    const view = JSON.parse(told.text) as { rows: { url: string; state: string; models: string[] }[] };
    expect(view.rows).toContainEqual(
      expect.objectContaining({ url: engine.url, state: 'ready', models: ['tiny'] }),
    );
  });

  it('is drawn again and again, until its reader leaves', async () => {
    const shown = start(['--url', admin(), '--admin-key', 'boss', '--interval', '0.5'], { isTTY: true });
    await until(() => shown.told.text.includes('since the router'));
    expect(shown.told.text.startsWith(ENTER)).toBe(true);
    await until(() => /last \d+ s: /.test(shown.told.text));
    shown.press('s');
    expect(shown.told.text).toContain('by state; s sorts by another, q ends');
    shown.output.columns = 50;
    shown.resize();
    const narrow = stripVTControlCharacters(shown.told.text.slice(shown.told.text.lastIndexOf('\x1b[H')));
    for (const line of narrow.split('\r\n')) expect(line.length).toBeLessThanOrEqual(50);
    shown.press('q');
    expect(await shown.code).toBe(0);
    expect(shown.told.text.endsWith(LEAVE)).toBe(true);
  });

  it('stays on the screen while the router is away, and says so', async () => {
    const own = await startTestRouter([engine]);
    const shown = start(['--url', own.url, '--interval', '0.5'], { isTTY: true });
    await until(() => shown.told.text.includes('1 of 1 engines ready'));
    await own.close();
    await until(() => shown.told.text.includes('trying again: '));
    shown.stop.abort();
    expect(await shown.code).toBe(0);
    expect(shown.told.text.endsWith(LEAVE)).toBe(true);
  });

  it('that is not ready ends in 1', async () => {
    const own = await startTestRouter([engine], ['--ready-needs-engine', '--health-check-interval', '0.5']);
    await engine.setFault({ on: 'all', refuse: true });
    await until(async () => (await fetch(`${own.url}/ready`)).status === 503);
    const { code, told } = start(['--url', own.url]);
    expect(await code).toBe(1);
    expect(told.text).toContain('not ready: no engine is usable');
    await engine.setFault(null);
    await own.close();
  });

  it('that cannot be shown is told why, and what to do', async () => {
    expect(await refusal(admin())).toContain('asks for its admin key: give it with --admin-key');
    expect(await refusal(router.url)).toContain('a router with --admin-port shows them there alone');
    expect(await refusal(engine.url)).toContain('is no vllm-router');
    expect(await refusal('http://127.0.0.1:2')).toContain('cannot be reached');
    expect(await refusal('ftp://x')).toContain('--url ftp://x: a URL of http or https');
  });
});
