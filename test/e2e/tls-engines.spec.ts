import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import type { RunningRouter } from '../../src/serve.js';
import { ask, jsonOf, openSocket, readUntil } from '../support/http-client.js';
import { readProjectFile, ROOT } from '../support/project-files.js';
import { startRouterProcess } from '../support/router-process.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const FIXTURES = join(ROOT, 'test/fixtures/tls');
const fixture = (name: string): string => readProjectFile(`test/fixtures/tls/${name}`);

/** Whose certificate each probe and scrape came with. */
const probed: unknown[] = [];

/** An engine behind TLS that tells what it got, its probes included. */
async function startEngine(options: ServerOptions): Promise<Server> {
  const server = createServer(options, (request: IncomingMessage, response: ServerResponse) => {
    const shown = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    if (request.method === 'GET') probed.push(shown);
    void text(request).then((body) => {
      const { headers, url } = request;
      response.setHeader('content-type', 'application/json');
      // A connection keeps the certificate that it was made with.
      response.setHeader('connection', 'close');
      const models = { object: 'list', data: [{ id: 'learned', shown }] };
      const told = { url, host: headers.host, body, shown };
      response.end(JSON.stringify(url === '/prefix/v1/models' ? models : told));
    });
  });
  server.on('upgrade', (_request, socket: TLSSocket) => {
    const shown = socket.getPeerCertificate().subject?.CN ?? 'nobody';
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nx-shown: ${shown}\r\n\r\n`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const urlOf = (server: Server): string =>
  `https://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
const stop = async (server: Server): Promise<void> => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
};

describe('an engine behind TLS', () => {
  it.each(['http1', 'undici'])('is reached with --upstream-client %s', async (client) => {
    const server = await startEngine({ cert: fixture('cert.pem'), key: fixture('key.pem') });
    const url = urlOf(server);
    const router = await startRouterProcess([{ url, models: ['m'] }], ['--upstream-client', client], {
      NODE_EXTRA_CA_CERTS: join(FIXTURES, 'cert.pem'),
    });
    try {
      const body = '{ "model":"m", "seed": 12345678901234567890 }';
      const answer = await ask(`${router.url}/v1/completions`, { body });
      expect(answer.status).toBe(200);
      expect(jsonOf(answer)).toEqual({ url: '/prefix/v1/completions', host: new URL(url).host, body });
    } finally {
      await router.kill();
      await stop(server);
    }
  });
});

describe('an engine of an own authority that asks for a certificate', () => {
  let folder: string;
  let server: Server;
  let router: RunningRouter;
  const place = (name: string, from: string): string => {
    copyFileSync(join(FIXTURES, from), join(folder, name));
    return join(folder, name);
  };
  const post = () => ask(`${router.url}/v1/completions`, { body: { model: 'm' } });
  const start = async (...flags: string[]): Promise<void> => {
    router = await startTestRouter([{ url: urlOf(server), models: ['m'] }], flags);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vllm-router-engine-tls-'));
    const own = { cert: fixture('server.pem'), key: fixture('server-key.pem') };
    server = await startEngine({
      ...own,
      ca: fixture('ca.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    });
  });
  afterEach(async () => {
    await router.close();
  });
  afterAll(async () => {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is trusted by --engine-ssl-ca-certs alone, and seen by no request otherwise', async () => {
    await start();
    expect((await post()).status).toBe(502);
    await router.close();
    await start('--engine-ssl-ca-certs', join(FIXTURES, 'ca.pem'));
    expect(jsonOf(await post())).not.toHaveProperty('shown');
    await router.close();
    await start('--engine-ssl-ca-certs', join(FIXTURES, 'cert.pem'));
    expect((await post()).status).toBe(502);
  });

  it('sees the certificate of the router with requests, probes and WebSockets, and its successor', async () => {
    const files = [
      ...[
        '--engine-ssl-ca-certs',
        place('ca', 'ca.pem'),
        '--engine-ssl-certfile',
        place('cert', 'client.pem'),
      ],
      ...['--engine-ssl-keyfile', place('key', 'client-key.pem')],
    ];
    await start(...files, '--dynamic-config-interval', '0.05');
    expect(jsonOf(await post())).toMatchObject({ shown: 'client' });
    const upgrade =
      'GET /v1/realtime?model=m HTTP/1.1\r\nhost: r\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    const socket = await openSocket(router.url);
    socket.write(upgrade);
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 [\s\S]*x-shown: client/);
    socket.destroy();
    expect(probed).toContain('client');
    place('cert', 'rotated.pem');
    place('key', 'rotated-key.pem');
    await until(async () => jsonOf<{ shown: string }>(await post()).shown === 'rotated');
  });
});
