import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { ask, errorOf, jsonOf, openSocket } from '../support/http-client.js';
import { disguisedPaths, hostileBodies } from '../support/hostile-requests.mjs';
import { RecordingEngine, sendBytes } from '../support/recording-engine.mjs';
import { startRouterProcess, type RouterProcess } from '../support/router-process.js';
import { startTestRouter } from '../support/start-router.js';
import { whenNothingIsHeld } from '../support/router-metrics.js';
import { until } from '../support/until.js';

let engine: RecordingEngine;
let router: RouterProcess;

beforeAll(async () => {
  engine = await RecordingEngine.start();
  const text = ['--log-format', 'text', '--access-log', '--session-key', 'x-user'];
  router = await startRouterProcess(
    [{ url: engine.url, models: ['m'] }],
    [...text, '--routing-logic', 'prefixaware'],
  );
});
afterEach(() => engine.forget());
afterAll(async () => {
  await router.kill();
  await engine.stop();
});

describe('a body that is made to hurt', () => {
  it.each(hostileBodies())(
    '(%s) gets a well-formed answer, and the next client too',
    async (_what, body, status) => {
      const answer = await ask(`${router.url}/v1/chat/completions`, {
        body: Buffer.from(body, 'latin1'),
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(status);
      expect(() => jsonOf(answer)).not.toThrow();
      // What reaches an engine is what the client sent, and is the engine's to judge.
      expect(engine.requests.map((one) => one.body === body)).toEqual(status === 200 ? [true] : []);
      expect((await ask(`${router.url}/health`)).status).toBe(200);
      await whenNothingIsHeld(router.url);
    },
  );
});

describe('text of a client', () => {
  it('forges no line of the log and no header', async () => {
    const forged = 'x\r\n2026-01-01 INFO: forged\u001b[31m\u009b31m\u2028y';
    const before = router.output.length;
    for (const body of [
      { model: forged, messages: [] },
      { model: 'm', 'x-user': forged, messages: [] },
    ]) {
      const answer = await ask(`${router.url}/v1/chat/completions`, { body });
      expect(answer.headers['x-request-id']).toMatch(/^[\w-]+$/);
    }
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\nconnection: close\r\nx-user: a\x9b31mb\r\n`;
    const sent = `${head}x-request-id: id\x9b\x85forged\r\ncontent-length: 13\r\n\r\n{"model":"m"}`;
    expect((await sendBytes(router.url, sent)).answer).toMatch(/\r\nx-request-id: idforged\r\n/);
    await until(() => router.output.length >= before + 2);
    const lines = router.output.slice(before);
    expect(lines.filter((line) => !line.includes('Routing request'))).toEqual([]);
    expect(lines.join('')).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  it('sends the router nowhere but to its engines', async () => {
    const reached: string[] = [];
    const trap = createServer((socket) => {
      reached.push('a connection');
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const at = `127.0.0.1:${(trap.address() as AddressInfo).port}`;
    const url = `http://${at}/`;
    for (const model of [url, `m@${at}`, `m\r\nhost: ${at}`, `//${at}`, `../${at}`, `m#${url}`]) {
      const answer = await ask(`${router.url}/v1/completions`, { body: { model, prompt: 'x' } });
      expect([model, answer.status, errorOf(answer).code]).toEqual([model, 404, 'model_not_found']);
    }
    const heads = [
      `POST ${url}v1/completions HTTP/1.1\r\nhost: ${at}`,
      `POST //${at}/v1/completions HTTP/1.1\r\nhost: ${at}`,
      `POST /v1/completions HTTP/1.1\r\nhost: r\r\nx-forwarded-host: ${at}\r\nforwarded: host=${at}`,
      `GET /v1/responses/..%2f..%2f@${at} HTTP/1.1\r\nhost: r`,
      `GET http://${at}/v1/models/m HTTP/1.1\r\nhost: ${at}`,
    ];
    for (const head of heads) {
      const body = head.startsWith('GET') ? '' : '{"model":"m","prompt":"x"}';
      await sendBytes(
        router.url,
        `${head}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    }
    expect(reached).toEqual([]);
    trap.close();
  });
});

describe('a route that changes or reveals an engine', () => {
  it('is not reached by any spelling of its path', async () => {
    const body = '{"model":"m"}';
    const lines = `host: r\r\nconnection: close\r\ncontent-length: ${body.length}`;
    const wrong: string[] = [];
    for (const path of disguisedPaths()) {
      const { answer } = await sendBytes(router.url, `POST ${path} HTTP/1.1\r\n${lines}\r\n\r\n${body}`);
      if (!/^HTTP\/1\.1 40[04] /.test(answer)) wrong.push(`${path}: ${answer.slice(0, 100)}`);
    }
    expect(wrong).toEqual([]);
    expect(engine.requests).toEqual([]);
  });
});

describe('an engine that is not what it seems', () => {
  it('sends probes, scrapes and clients nowhere by a redirect', async () => {
    const reached: string[] = [];
    const trap = createHttpServer((request, response) => {
      reached.push(request.url ?? '');
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const location = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/secret`;
    let asked = 0;
    const engineOf = createHttpServer((request, response) => {
      asked++;
      request.resume();
      response.writeHead(307, { location }).end();
    }).listen(0, '127.0.0.1');
    await once(engineOf, 'listening');
    const url = `http://127.0.0.1:${(engineOf.address() as AddressInfo).port}`;
    const other = await startTestRouter([{ url, models: ['m'] }]);
    const answer = await ask(`${other.url}/v1/completions`, { body: { model: 'm' } });
    expect([answer.status, answer.headers.location]).toEqual([307, location]);
    await until(() => asked >= 3);
    expect(reached).toEqual([]);
    await other.close();
    for (const server of [trap, engineOf]) {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('clients that take their time', () => {
  it('are closed within their limits, whatever they hold back', async () => {
    const limits = ['--client-header-timeout', '0.5', '--client-body-timeout', '0.5'];
    const slow = await startTestRouter([{ url: engine.url, models: ['m'] }], limits);
    const drip = async (head: string, each: string): Promise<string> => {
      const socket = await openSocket(slow.url);
      let text = '';
      socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
      socket.write(head);
      const timer = setInterval(() => socket.write(each), 50);
      await Promise.race([once(socket, 'end'), once(socket, 'close')]);
      clearInterval(timer);
      socket.destroy();
      return text;
    };
    const post = 'POST /v1/completions HTTP/1.1\r\nhost: r\r\n';
    const answers = await Promise.all([
      drip('', ''),
      drip('P', ''),
      drip('GET /health HTTP/1.1\r\n', 'x: y\r\n'),
      drip(`${post}content-length: 100000\r\n\r\n`, 'x'),
      drip(`${post}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
      drip(`${post}transfer-encoding: chunked\r\n\r\n1;`, 'x'),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/);
    expect(engine.requests).toEqual([]);
    await slow.close();
  });
});
