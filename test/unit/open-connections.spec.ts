import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { OpenConnections } from '../../src/open-connections.js';

describe('the open connections of a server', () => {
  let server: Server;
  let connections: OpenConnections;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    connections = new OpenConnections();
    server = createServer((incoming, response) => answer(incoming, response));
    connections.follow(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const port = (): number => (server.address() as AddressInfo).port;
  const open = async (): Promise<Socket> => {
    const accepted = once(server, 'connection');
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => undefined);
    await accepted;
    return socket;
  };

  it('are closed where nothing is under way', async () => {
    answer = (_request, response) => response.end();
    const socket = await open();
    server.closeIdleConnections();
    await once(socket.resume(), 'close');
  });

  it('stay where the client has not read its whole answer', async () => {
    const size = 64_000_000;
    answer = (_request, response) => response.end(Buffer.alloc(size));
    const sent = request({ port: port(), host: '127.0.0.1', agent: false });
    sent.end();
    const [incoming] = (await once(sent, 'response')) as [IncomingMessage];
    server.closeIdleConnections();
    let read = 0;
    for await (const part of incoming as AsyncIterable<Buffer>) read += part.length;
    expect(read).toBe(size);
  });

  it('tell which answers have not been sent whole, in the order of their requests', async () => {
    const responses: ServerResponse[] = [];
    answer = (_request, response) => responses.push(response);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = await open();
    const [peer] = await accepted;
    expect(connections.answersOn(peer)).toEqual([]);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2));
    while (responses.length < 2) await once(server, 'request');
    expect(connections.answersOn(peer)).toEqual(responses);
    responses[0]!.end();
    await once(responses[0]!, 'close');
    expect(connections.answersOn(peer)).toEqual([responses[1]]);
    socket.destroy();
    await new Promise((resolve) => peer.once('close', resolve));
    expect(connections.answersOn(peer)).toEqual([]);
  });

  it('that were upgraded are nobody’s to close here', async () => {
    server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const socket = await open();
    const upgraded = once(server, 'upgrade');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n');
    const [, peer] = (await upgraded) as [IncomingMessage, Socket];
    server.closeIdleConnections();
    expect(peer.destroyed).toBe(false);
    peer.destroy();
  });
});
