import { connect, type Socket } from 'node:net';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { startRouter, type RunningRouter } from '../../src/serve.js';

/** An engine that accepts WebSocket upgrades and sends back whatever arrives. */
async function echoEngine(): Promise<{
  server: Server;
  url: string;
  upgrades: string[];
  forwarded: string[];
  sockets: Socket[];
}> {
  const upgrades: string[] = [];
  const forwarded: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'text/plain');
      response.end(`${request.headers.upgrade ?? 'no upgrade'}:${Buffer.concat(chunks).toString()}`);
    });
  });
  server.on('upgrade', (request, socket) => {
    upgrades.push(request.url ?? '');
    forwarded.push(`${request.headers['x-forwarded-for']} ${request.headers['x-forwarded-host']}`);
    sockets.push(socket as Socket);
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.on('data', (bytes) => socket.write(bytes));
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { server, url: `http://127.0.0.1:${port}`, upgrades, forwarded, sockets };
}

function handshake(path: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nhost: router\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
    'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  );
}

async function readUntil(socket: Socket, mark: string): Promise<string> {
  let seen = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    seen += (chunk as Buffer).toString('latin1');
    if (seen.includes(mark)) return seen;
  }
  return seen;
}

describe('realtime connections', () => {
  let engine: Awaited<ReturnType<typeof echoEngine>>;
  let router: RunningRouter;
  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(router.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return socket;
  };
  const gauge = async (): Promise<string> => {
    const text = await (await fetch(`${router.url}/metrics`)).text();
    return /vllm:num_requests_running\{[^}]*\} (\d+)/.exec(text)?.[1] ?? 'none';
  };

  beforeAll(async () => {
    engine = await echoEngine();
    router = await startRouter(
      [
        '--port',
        '0',
        '--host',
        '127.0.0.1',
        '--service-discovery',
        'static',
        '--static-backends',
        engine.url,
        '--static-models',
        'whisper',
        '--routing-logic',
        'roundrobin',
        '--log-level',
        'fatal',
      ],
      {},
    );
  });
  afterAll(async () => {
    await router.close();
    for (const socket of engine.sockets) socket.destroy();
    engine.server.close();
  });

  it('relays frames both ways and counts the connection while it is open', async () => {
    const socket = await open();
    socket.write(handshake('/v1/realtime?model=whisper'));
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101/);
    socket.write('hello frames');
    expect(await readUntil(socket, 'hello frames')).toContain('hello frames');
    expect(await gauge()).toBe('1');
    const closed = once(engine.sockets.at(-1)!, 'close');
    socket.destroy();
    await closed;
    expect(engine.upgrades.at(-1)).toBe('/v1/realtime?model=whisper');
    while ((await gauge()) !== '0') await new Promise((resolve) => setImmediate(resolve));
  });

  it('does not believe a stranger who says whom he forwards for', async () => {
    const socket = await open();
    const lie = 'x-forwarded-for: 6.6.6.6\r\nx-forwarded-host: evil\r\n\r\n';
    socket.write(handshake('/v1/realtime?model=whisper').replace(/\r\n$/, lie));
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101/);
    expect(engine.forwarded.at(-1)).toBe('127.0.0.1 router');
    socket.destroy();
  });

  it('takes the only model that is served when none is named', async () => {
    const socket = await open();
    socket.write(handshake('/v1/realtime'));
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101/);
    socket.destroy();
  });

  it.each([
    ['/v1/realtime?model=nobody', 404, 'model_not_found'],
    ['/v1/other?model=whisper', 404, 'route_not_found'],
    ['/v1/realtime?model=', 400, 'model_required'],
  ])('refuses %s with %i and closes', async (path, status, code) => {
    const socket = await open();
    socket.write(handshake(path));
    const answer = await readUntil(socket, '}}');
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    if (!socket.closed) await once(socket, 'close');
  });

  it('serves a POST that offers h2c as the plain request it is, body included', async () => {
    const socket = await open();
    const body = '{"model":"whisper","input":"x"}';
    socket.write(
      'POST /v1/embeddings HTTP/1.1\r\nhost: router\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n' +
        `http2-settings: AAMAAABkAAQAAP__\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.slice(0, 10));
    setImmediate(() => socket.write(body.slice(10)));
    expect(await readUntil(socket, '"x"}')).toContain(`no upgrade:${body}`);
    // The connection is an ordinary one from here on.
    socket.write('GET /version HTTP/1.1\r\nhost: router\r\n\r\n');
    expect(await readUntil(socket, '"version"')).toMatch(/HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('answers 502 when the engine cannot be reached', async () => {
    const dead = await echoEngine();
    dead.server.close();
    const other = await startRouter(
      [
        '--port',
        '0',
        '--host',
        '127.0.0.1',
        '--service-discovery',
        'static',
        '--static-backends',
        dead.url,
        '--static-models',
        'm',
        '--routing-logic',
        'roundrobin',
        '--log-level',
        'fatal',
      ],
      {},
    );
    const { hostname, port } = new URL(other.url);
    const socket = connect(Number(port), hostname);
    socket.write(handshake('/v1/realtime?model=m'));
    expect(await readUntil(socket, '}}')).toMatch(/^HTTP\/1\.1 502 /);
    socket.destroy();
    await other.close();
  });
});
