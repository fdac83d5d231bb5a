import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startRouter, type RunningRouter } from '../../src/serve.js';
import { startSimulatedEngine, type SimulatedEngine } from '../../src/simulator/http/simulated-engine.js';

// What SECURITY.md says is refused on the wire, with the limits set low.

let engine: SimulatedEngine;
let router: RunningRouter;

const KIB = 1024;
const LIMITS = {
  '--max-header-size': '8KiB',
  '--max-body-size': '64KiB',
  '--max-body-memory': '100KiB',
  '--client-header-timeout': '1',
  '--client-body-timeout': '0.5',
};

beforeAll(async () => {
  engine = await startSimulatedEngine({ models: ['m'] });
  const flags = { '--host': '127.0.0.1', '--port': '0', '--service-discovery': 'static', ...LIMITS };
  const routing = {
    '--static-backends': engine.url,
    '--static-models': 'm',
    '--routing-logic': 'roundrobin',
  };
  const quiet = {
    '--log-level': 'fatal',
    '--engine-stats-interval': '3600',
    '--model-refresh-interval': '3600',
  };
  router = await startRouter(Object.entries({ ...flags, ...routing, ...quiet }).flat(), {});
});

afterAll(async () => {
  await router.close();
  await engine.close();
});

async function dial(): Promise<Socket> {
  const socket = connect(Number(new URL(router.url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** The answer, once all of it is there; the client then hangs up. */
async function answerOn(socket: Socket): Promise<string> {
  let text = '';
  for await (const more of socket) {
    text += (more as Buffer).toString('latin1');
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined && body.length >= Number(length)) break;
  }
  return text;
}

async function refused(bytes: string): Promise<string> {
  const socket = await dial();
  const answer = answerOn(socket);
  socket.write(bytes, 'latin1');
  return answer;
}

/** Status, code of the error, and whether it carries a request id. */
function told(answer: string): { status: number; code: string; hasId: boolean } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const { error } = JSON.parse(body) as { error: { code: string } };
  return { status: Number(head.split(' ')[1]), code: error.code, hasId: /^x-request-id: \S/im.test(head) };
}

const post = (headers: string, body = ''): string =>
  `POST /v1/completions HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;

describe('on the wire', () => {
  it('refuses heads that are too large, or no HTTP', async () => {
    const large = await refused(
      `GET /health HTTP/1.1\r\nHost: r\r\nX-Large: ${'x'.repeat(10 * KIB)}\r\n\r\n`,
    );
    expect(told(large)).toEqual({ status: 431, code: 'headers_too_large', hasId: true });
    expect(told(await refused('\u0016\u0003\u0001 hello\r\n\r\n'))).toEqual({
      status: 400,
      code: 'invalid_request',
      hasId: true,
    });
  });

  it('refuses a request that says two lengths', async () => {
    const answer = await refused(post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\nGET /x'));
    expect(told(answer).status).toBe(400);
  });

  it('refuses heads that come too slowly', async () => {
    expect(told(await refused('GET /health HTTP/1.1\r\nHost: r\r\nX-Slow: '))).toEqual({
      status: 408,
      code: 'request_timeout',
      hasId: true,
    });
  });

  it('refuses bodies over the limit, announced or not', async () => {
    const expected = { status: 413, code: 'request_too_large', hasId: true };
    const chunk = `${(65 * KIB).toString(16)}\r\n${'x'.repeat(65 * KIB)}\r\n`;
    const large = [post(`Content-Length: ${65 * KIB}`), post('Transfer-Encoding: chunked', chunk)];
    expect((await Promise.all(large.map(refused))).map(told)).toEqual([expected, expected]);
  });

  it('refuses bodies that come too slowly, and gives their memory back', async () => {
    const expected = { status: 408, code: 'request_timeout', hasId: true };
    const slow = await Promise.all(
      ['{', '{"model":"m"'].map((begun) => refused(post(`Content-Length: ${60 * KIB}`, begun))),
    );
    expect(slow.map(told)).toEqual([expected, expected]);
    expect(await heldBytes()).toBe(0);
  });

  it('refuses bodies beyond the memory for all of them', async () => {
    const sockets = [await dial(), await dial()];
    const answers = sockets.map(answerOn);
    // Neither body ends; together they are more than the router may hold.
    for (const socket of sockets) socket.write(post(`Content-Length: ${63 * KIB}`, 'x'.repeat(62 * KIB)));
    const full = await Promise.race(answers);
    expect(told(full)).toEqual({ status: 503, code: 'overloaded', hasId: true });
    expect(full).toMatch(/^retry-after: \d/im);
    await Promise.all(answers);
    expect(await heldBytes()).toBe(0);
  });

  it('lets nothing through to routes that change or reveal an engine', async () => {
    const before = engine.requests.length;
    const paths = [
      '/sleep?model=m',
      '/%73leep?model=m',
      '/v1/..//metrics?model=m',
      '/v1/load_lora_adapter',
      '/docs',
    ];
    for (const path of paths) {
      const body = '{"model":"m"}';
      const answer = await refused(
        `POST ${path} HTTP/1.1\r\nHost: r\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect({ path, ...told(answer) }).toEqual({ path, status: 404, code: 'route_not_found', hasId: true });
    }
    expect(engine.requests.length).toBe(before);
  });
});

async function heldBytes(): Promise<number> {
  const text = await (await fetch(`${router.url}/metrics`)).text();
  return Number(/^vllm_router_body_memory_bytes (\d+)$/m.exec(text)?.[1]);
}
