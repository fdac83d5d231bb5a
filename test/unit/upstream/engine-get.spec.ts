import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { engineGet } from '../../../src/upstream/engine-get.js';

describe('engineGet', () => {
  const servers: Server[] = [];

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("appends the path to the engine's, sends the key, and hands over status and text", async () => {
    const seen: IncomingMessage[] = [];
    const url = await serve((request, response) => {
      seen.push(request);
      response.writeHead(418).end('täxt');
    });
    const answer = await engineGet(`${url}/prefix`, '/metrics', { timeoutMs: 5_000, apiKey: 'secret' });
    expect(answer).toEqual({ status: 418, text: 'täxt' });
    expect(seen.map(({ method, url: target }) => `${method} ${target}`)).toEqual(['GET /prefix/metrics']);
    expect(seen[0]!.headers).toMatchObject({ authorization: 'Bearer secret', connection: 'close' });
  });

  it('refuses an answer that is larger than allowed, and closes its connection', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const url = await serve((_request, response) => {
      closed = once(response, 'close');
      response.write('x'.repeat(2_000));
    });
    await expect(engineGet(url, '/metrics', { timeoutMs: 5_000, maxBytes: 1_000 })).rejects.toThrow(
      'answer of /metrics is larger than 1000 bytes',
    );
    await closed;
  });

  it('takes no answer that was cut off for a whole one', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    });
    await expect(engineGet(url, '/v1/models', { timeoutMs: 5_000 })).rejects.toThrow();
  });

  it.each([
    ['before the head', () => undefined],
    ['within the body', (_request, response) => void response.write('half')],
  ] as [string, RequestListener][])('gives up on an engine that is silent %s', async (_when, listener) => {
    const url = await serve(listener);
    await expect(engineGet(url, '/metrics', { timeoutMs: 50 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('ends with the reason of the signal that is given', async () => {
    const abort = new AbortController();
    const url = await serve(() => abort.abort(new Error('the engine has left')));
    await expect(engineGet(url, '/metrics', { timeoutMs: 5_000, signal: abort.signal })).rejects.toThrow(
      'the engine has left',
    );
  });

  it('speaks TLS to an engine behind https', async () => {
    const url = await serve(() => undefined);
    servers[0]!.on('clientError', (_error, socket) => socket.end('no TLS here'));
    await expect(engineGet(url.replace('http:', 'https:'), '/', { timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'EPROTO',
    });
  });
});
