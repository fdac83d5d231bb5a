import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SocketAnswer } from '../../../src/proxy/socket-answer.js';
import { openSocket, readToClose, readUntil } from '../../support/http-client.js';
import { until } from '../../support/until.js';

type Handler = (response: ServerResponse, request: IncomingMessage) => void;

const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
const FIELDS = ['_header', '_headerSent', '_keepAliveTimeout'] as const;

interface Undocumented {
  _header: string | null;
  _headerSent: boolean;
  _keepAliveTimeout: number;
}

const fieldsOf = (response: ServerResponse): Undocumented => response as unknown as Undocumented;

let server: Server;
let url: string;
/** What each request is answered with, in order. */
let handlers: Handler[];

beforeEach(async () => {
  handlers = [];
  server = createServer({ keepAliveTimeout: 7_000 }, (request, response) =>
    handlers.shift()!(response, request),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const plain: Handler = (response) => void response.end('plain');
const afterHead = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

/** What `SocketAnswer` relies on and Node's documentation does not say. */
describe("Node's response", () => {
  it('has the fields that are written, and takes a head in them for its own', async () => {
    const seen: unknown[] = [];
    handlers.push((response) => {
      const fields = fieldsOf(response);
      seen.push(
        FIELDS.every((field) => field in response),
        fields._header,
        fields._headerSent,
      );
      seen.push(response.headersSent, fields._keepAliveTimeout);
      fields._header = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n';
      fields._headerSent = true;
      seen.push(response.headersSent, response.writableEnded);
      expect(() => response.setHeader('a', 'b')).toThrow(/after they are sent/);
      response.socket!.write(`${fields._header}ok`, () => response.end());
    });
    const socket = await openSocket(url);
    socket.write(GET);
    expect(await readUntil(socket, 'ok')).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    expect(seen).toEqual([true, null, false, false, 7_000, true, false]);
    socket.destroy();
  });

  it.each<[string, (socket: Socket) => Promise<void> | void]>([
    ['that comes later', async (socket) => void (await readUntil(socket, 'own'))],
    ['that waits already', () => undefined],
  ])('adds nothing at its end, finishes, and lets a request go on %s', async (_name, between) => {
    const events: string[] = [];
    handlers.push((response) => {
      for (const event of ['prefinish', 'finish', 'close']) response.on(event, () => events.push(event));
      const fields = fieldsOf(response);
      fields._header = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n';
      fields._headerSent = true;
      response.socket!.write(`${fields._header}own`, () => response.end());
    }, plain);
    const socket = await openSocket(url);
    const early = between.length === 0;
    socket.write(early ? GET + LAST : GET);
    await between(socket);
    if (!early) socket.write(LAST);
    const rest = await readToClose(socket);
    const own = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown';
    expect(rest.startsWith(early ? `${own}HTTP/1.1 200 OK\r\n` : 'HTTP/1.1 200 OK\r\n')).toBe(true);
    expect(rest.endsWith('\r\n\r\nplain')).toBe(true);
    expect(events).toEqual(['prefinish', 'finish', 'close']);
  });

  it('tells by its socket whether it waits behind another on its connection', async () => {
    const sockets: boolean[] = [];
    const held: ServerResponse[] = [];
    const hold: Handler = (response) => {
      sockets.push(response.socket !== null);
      held.push(response);
    };
    handlers.push(hold, hold);
    const socket = await openSocket(url);
    socket.write(GET + LAST);
    await until(() => held.length === 2);
    expect(sockets).toEqual([true, false]);
    for (const response of held) response.end();
    await readToClose(socket);
  });
});

/** The writer for an answer with these headers; fails when there is none. */
function take(response: ServerResponse, headers: readonly string[] = []): SocketAnswer {
  const answer = SocketAnswer.take(response, 200, 'OK', headers);
  if (answer === null) throw new Error('not taken');
  return answer;
}

describe('an answer written to its connection', () => {
  /** All that one request is answered with, and the writes that it took. */
  async function answered(act: (answer: SocketAnswer) => void, headers: readonly string[], mark: string) {
    const writes: number[] = [];
    handlers.push((response) => {
      const real = response.socket!;
      // Corked writes leave as one: what the system is handed counts.
      const { _handle: handle } = real as unknown as {
        _handle: Record<string, (...args: unknown[]) => unknown>;
      };
      for (const name of ['writeBuffer', 'writev', 'writeLatin1String', 'writeUtf8String']) {
        const original = handle[name]!.bind(handle);
        handle[name] = (...args) => {
          writes.push(1);
          return original(...args);
        };
      }
      act(take(response, headers));
    });
    const socket = await openSocket(url);
    socket.write(GET);
    const text = await readUntil(socket, mark);
    socket.destroy();
    return { text, writes: writes.length };
  }

  it('sends head, bytes and end of one turn in one write, in chunks of its own', async () => {
    const { text, writes } = await answered(
      (answer) => {
        expect(answer.framing).toBe(true);
        answer.write(Buffer.from('hello'));
        answer.writeFramed(Buffer.from('2\r\nab\r\n3\r\ncde\r\n'));
        answer.end(Buffer.from('x'.repeat(16)));
      },
      ['A', 'b \xe9'],
      '0\r\n\r\n',
    );
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nA: b \xe9\r\nDate: [^\r]+ GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\nTransfer-Encoding: chunked\r\n\r\n/,
    );
    expect(afterHead(text)).toBe(`5\r\nhello\r\n2\r\nab\r\n3\r\ncde\r\n10\r\n${'x'.repeat(16)}\r\n0\r\n\r\n`);
    expect(writes).toBe(1);
  });

  it('sends its head with whole chunks that come first', async () => {
    const { text, writes } = await answered(
      (answer) => answer.writeFramed(Buffer.from('2\r\nab\r\n')),
      [],
      'ab\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n2\r\nab\r\n$/);
    expect(writes).toBe(1);
  });

  it.each<[string, (answer: SocketAnswer) => void, string]>([
    ['at once', (answer) => answer.end(Buffer.from('hello')), 'hello'],
    [
      'in parts',
      (answer) => {
        answer.write(Buffer.from('he'));
        answer.write(Buffer.from('llo'));
        answer.end(null);
      },
      'hello',
    ],
  ])(
    'keeps a length that is announced, and frames nothing, when its body comes %s',
    async (_name, act, body) => {
      const date = 'Thu, 26 Nov 2026 10:00:00 GMT';
      const headers = ['Content-Length', '5', 'date', date];
      const { text } = await answered(act, headers, body);
      expect(text).toBe(
        `HTTP/1.1 200 OK\r\nContent-Length: 5\r\ndate: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n\r\nhello`,
      );
    },
  );

  it('of nothing is its head and the last chunk, and nothing does not end it early', async () => {
    const { text } = await answered(
      (answer) => {
        answer.write(Buffer.alloc(0));
        answer.end(null);
      },
      [],
      '0\r\n\r\n',
    );
    expect(afterHead(text)).toBe('0\r\n\r\n');
  });

  it('asks to wait for a client that does not read, and its end waits until all is taken', async () => {
    const size = 64 * 1024 * 1024;
    let finished = false;
    let drained = (): void => undefined;
    const resumed = new Promise<void>((resolve) => (drained = resolve));
    const begun = new Promise<void>((begin) => {
      handlers.push((response) => {
        response.on('finish', () => (finished = true));
        const answer = take(response);
        expect(answer.write(Buffer.alloc(size))).toBe(false);
        answer.onceDrained(() => {
          drained();
          answer.write(Buffer.alloc(size));
          answer.end(Buffer.from('end'));
          begin();
        });
      }, plain);
    });
    const socket = await openSocket(url);
    socket.write(GET + LAST);
    let read = 0;
    let tail = '';
    let finishedEarly = false;
    const whole = new Promise<void>((resolve) => {
      socket.on('data', (part: Buffer) => {
        read += part.length;
        // The kernel's buffers hold less than the rest.
        if (read < 1.25 * size) finishedEarly ||= finished;
        tail = (tail + part.toString('latin1')).slice(-400);
      });
      socket.once('end', resolve);
    });
    await resumed;
    await begun;
    await whole;
    expect([finishedEarly, finished]).toEqual([false, true]);
    expect(tail).toMatch(/\r\n3\r\nend\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nplain$/);
    expect(read).toBeGreaterThan(2 * size);
    socket.destroy();
  });
});

describe('an answer that is left to Node', () => {
  const taken = async (asked: string, status = 200): Promise<boolean> => {
    let byUs = true;
    handlers.push((response) => {
      byUs = SocketAnswer.take(response, status, 'X', []) !== null;
      response.end();
    });
    const socket = await openSocket(url);
    socket.write(asked);
    await readUntil(socket, '\r\n\r\n');
    socket.destroy();
    return byUs;
  };

  it.each([
    ['to HEAD', GET.replace('GET', 'HEAD'), 200],
    ['to HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 200],
    ['to HTTP/1.0 that is kept alive', 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n', 200],
    ['to a client that closes', LAST, 200],
    ['with 204', GET, 204],
    ['with 304', GET, 304],
    ['with 103', GET, 103],
  ])('is one %s', async (_name, asked, status) => {
    expect(await taken(asked, status)).toBe(false);
  });

  it('is one whose head has gone out, and one that waits behind another', async () => {
    const seen: (SocketAnswer | null)[] = [];
    const held: ServerResponse[] = [];
    handlers.push(
      (response) => {
        response.writeHead(200);
        response.flushHeaders();
        held.push(response);
        seen.push(SocketAnswer.take(response, 200, 'OK', []));
      },
      (response) => {
        held.push(response);
        seen.push(SocketAnswer.take(response, 200, 'OK', []));
      },
    );
    const socket = await openSocket(url);
    socket.write(GET + LAST);
    await until(() => held.length === 2);
    expect(seen).toEqual([null, null]);
    for (const response of held) response.end();
    await readToClose(socket);
  });

  it('has not been touched', () => {
    const response = new ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage);
    expect(SocketAnswer.take(response, 200, 'OK', [])).toBeNull();
    expect([response.headersSent, fieldsOf(response)._header]).toEqual([false, null]);
  });
});
