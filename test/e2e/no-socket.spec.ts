import { execFileSync, spawnSync } from 'node:child_process';
import { startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat, openSocket, readUntil } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { startRouterProcess } from '../support/router-process.js';

/** util-linux; it sets limits of another process. */
const withPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? describe : describe.skip;

withPrlimit('a router that may open no more files', () => {
  it('blames no engine, and serves on as soon as it may', async () => {
    const engine = await startSimulatedEngine({ models: ['tiny'], tokens: 3 });
    const router = await startRouterProcess([engine], ['--health-check-interval', '0.5']);
    const limit = (files: string): void => {
      execFileSync('prlimit', ['--pid', String(router.child.pid), `--nofile=${files}:`]);
    };
    const port = new URL(router.url).port;
    const client = await openSocket(router.url);
    client.write(`GET /ready HTTP/1.1\r\nhost: r:${port}\r\n\r\n`);
    await readUntil(client, '"ready"}');

    limit('3');
    const body = JSON.stringify(chat({}));
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: r:${port}\r\ncontent-type: application/json\r\n`;
    client.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    expect(await readUntil(client, 'no_socket')).toContain('HTTP/1.1 502');
    limit('1024');

    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat({}) })).status).toBe(200);
    expect(await metric(router.url, 'vllm_router_engine_state', 'state="ready"')).toBe(1);
    expect(await metric(router.url, 'vllm:request_errors_total', 'error_type="no_socket"')).toBeGreaterThan(
      0,
    );
    expect(await metric(router.url, 'vllm_router_ejections_total')).toBe(0);
    client.destroy();
    await router.kill();
    await engine.close(0);
  });
});
