import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { answeredBy, startMiniEngine } from '../support/mini-engine.js';

const MAIN = resolve(__dirname, '../../dist/main.js');

it('--access-log writes one line per request, in the layout of the original, which a session cannot forge', async () => {
  const engine = await startMiniEngine('one', ['m']);
  const flags = ['--host', '127.0.0.1', '--port', '0', '--service-discovery', 'static'];
  const routing = ['--static-backends', engine.url, '--static-models', 'm', '--routing-logic', 'session'];
  const router = spawn(
    process.execPath,
    [MAIN, ...flags, ...routing, '--session-key', 'x-user-id', '--access-log'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    },
  );
  const lines: string[] = [];
  const routed: string[] = [];
  for await (const line of createInterface({ input: router.stdout })) {
    lines.push(line);
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      const url = `http://127.0.0.1:${port}`;
      await answeredBy(url, 'm', { 'x-request-id': 'id-1', 'x-user-id': 'ann' });
      await answeredBy(url, 'm', { 'x-request-id': 'id-2' });
      await fetch(`${url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'id-3' },
        body: JSON.stringify({ model: 'm', 'x-user-id': 'a\nRouting request forged' }),
      });
    }
    if (line.includes('Routing request')) routed.push(line.slice(line.indexOf('Routing request')));
    if (routed.length === 3) break;
  }
  const layout = (id: string, session: string): RegExp =>
    new RegExp(
      `^Routing request ${id} with session id ${session} to ${engine.url} at \\d+(\\.\\d+)?, process time = \\d\\.\\d{4}$`,
    );
  expect(routed[0]).toMatch(layout('id-1', 'ann'));
  expect(routed[1]).toMatch(layout('id-2', 'None'));
  expect(routed[2]).toMatch(layout('id-3', 'a\\\\nRouting request forged'));
  router.kill('SIGKILL');
  if (router.exitCode === null && router.signalCode === null) await once(router, 'exit');
  await engine.close();
});
