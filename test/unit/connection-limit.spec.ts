import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ConnectionLimit, shareOfConnections } from '../../src/connection-limit.js';
import { openSocket, readToClose, readUntil } from '../support/http-client.js';
import { until } from '../support/until.js';

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: r\r\n\r\n`;

describe('the limit on connections', () => {
  let server: Server;
  let refused: number;
  let url: string;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    refused = 0;
    const limit = new ConnectionLimit(2, () => refused++);
    server = createServer((asked, answer) => {
      if (!limit.take(asked, answer)) answer.end('served');
    });
    limit.follow(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  const open = async (): Promise<Socket> => {
    const socket = await openSocket(url);
    sockets.push(socket);
    return socket;
  };
  const asked = async (socket: Socket, path = '/v1/models'): Promise<string> => {
    socket.write(request(path));
    return readUntil(socket, 'served');
  };

  it('lets those within it do what they want, again and again', async () => {
    const [one, other] = [await open(), await open()];
    for (let at = 0; at < 3; at++) {
      expect(await asked(one)).toContain('200 OK');
      expect(await asked(other)).toContain('200 OK');
    }
    expect(refused).toBe(0);
  });

  it('refuses a request beyond it in the shape of its API, and closes', async () => {
    await Promise.all([asked(await open()), asked(await open())]);
    const beyond = await open();
    beyond.write(request('/v1/messages'));
    const answer = await readToClose(beyond);
    expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: [123]\r\n[\s\S]*connection: close/i);
    expect(answer).toContain('"type":"overloaded_error"');
    expect(refused).toBe(1);
    sockets[0]!.destroy();
    const again = async (): Promise<string> => asked(await open()).catch(() => '');
    await until(async () => (await again()).includes('200 OK'));
  });

  it.each(['/health', '/ready?x=1', '/metrics', '/version'])('answers %s beyond it, once', async (path) => {
    await Promise.all([asked(await open()), asked(await open())]);
    const probe = await open();
    probe.write(request(path) + request(path));
    const answer = await readToClose(probe);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close/i);
    expect(answer.match(/served/g)).toHaveLength(1);
    expect(refused).toBe(0);
  });

  it('closes what comes when the places for probes are taken, and frees those of silent ones', async () => {
    await Promise.all([asked(await open()), asked(await open())]);
    const silent = await Promise.all(Array.from({ length: 32 }, open));
    expect(await readToClose(await open())).toBe('');
    expect(refused).toBe(1);
    await Promise.all(silent.map(readToClose));
    const probe = await open();
    probe.write(request('/health'));
    expect(await readToClose(probe)).toContain('200 OK');
  });

  it('is shared among processes', () => {
    expect([shareOfConnections(10, 1), shareOfConnections(10, 4)]).toEqual([10, 3]);
  });
});
