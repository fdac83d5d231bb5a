import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type ClientRequest, request as open } from 'node:http';
import type { Socket } from 'node:net';
import { ask, errorOf, frameReader, framesOf, headOf } from './http-client.js';
import { openSocket, rawExchange, readToClose, readUntil } from './http-client.js';
import { metric, whenNothingIsHeld } from './router-metrics.js';
import { type Arrival, chunk, chunkedHead, ScriptedEngines, sized } from './scripted-engine.js';
import { until } from './until.js';

/** The most that the router under test takes of a body, bytes. */
export const BODY_LIMIT = 200_000;

/** An engine of the router under test: a base URL and the one model that it is asked for there. */
export interface ServedThere {
  readonly url: string;
  readonly model: string;
}

/** A router that serves until it is closed. */
export interface RouterUnderTest {
  readonly url: string;
  close(): Promise<void>;
}

const CONNECTIONS = ['keep-alive', 'close'] as const;
const PATH = '/v1/chat/completions';
const EVENTS = 'text/event-stream; charset=utf-8';
const OK = '{"ok":1}';
const DONE = 'data: [DONE]\n\n';

/** JSON that a parser and a writer would change in every line. */
const ODD_JSON =
  '{ "model":\t"m" ,\r\n "seed": 12345678901234567890 , "f":1.10e+2,"dup":1,"dup":2,\n' +
  ' "text":"na\u00efve \\u00e9 \u4f60\u597d \ud83d\ude80 \\ud83d\\ude80 \\/", "empty" : { } , "list":[ ]}\n\n';

const delta = (content: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const request = (fields: object = {}): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'a' }],
  ...fields,
});
const text = JSON.stringify(request());
/** A request as a client writes it. */
const raw = (lines = '', version = '1.1', body = text): string =>
  `POST ${PATH} HTTP/${version}\r\nhost: r\r\ncontent-type: application/json\r\n${lines}` +
  `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const afterHead = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What an engine does to a request before anything of an answer can be committed. */
const BEFORE_COMMIT: readonly [name: string, act: (socket: Socket) => void][] = [
  ['resets the connection', (socket) => void socket.resetAndDestroy()],
  ['closes before a head', (socket) => void socket.end()],
  ['closes behind a head', (socket) => void socket.end(chunkedHead(EVENTS))],
  ['answers 500', (socket) => void socket.write(sized('{"error":"x"}', 'a: b', '500 Oops'))],
  [
    'begins with an error event',
    (socket) =>
      void socket.write(
        chunkedHead(EVENTS) + chunk('data: {"error":{"message":"x","code":500}}\n\n').toString('latin1'),
      ),
  ],
];

/**
 * What a client of the router is promised, whatever way its request comes in and whatever client sends it on.
 * @param start a router that takes at most `BODY_LIMIT`, round robin, over these engines and models
 */
export function itKeepsThePromisesToClients(
  start: (engines: readonly ServedThere[]) => Promise<RouterUnderTest>,
): void {
  let engines: ScriptedEngines;
  let router: RouterUnderTest;
  let url: string;

  beforeAll(async () => {
    const failing = CONNECTIONS.flatMap((connection) =>
      BEFORE_COMMIT.map(([name]) => `${connection} ${name}`),
    );
    engines = await ScriptedEngines.start(2 + 2 * failing.length);
    const gone = await ScriptedEngines.start(1);
    const [refusing] = gone.urls as [string];
    await gone.stop();
    // An engine that failed may be ejected: each failure has two engines of its own, the rest the first two.
    router = await start([
      ...engines.urls.map((at, i) => ({ url: at, model: ['m', ...failing][i >> 1]! })),
      { url: refusing, model: 'half' },
      { url: engines.urls[0]!, model: 'half' },
    ]);
    url = router.url + PATH;
  });
  afterEach(async () => {
    // One that has failed leaves nothing for the next.
    for (const sent of opened.splice(0)) if (!sent.closed) sent.destroy();
    await whenNothingIsHeld(router.url);
    expect(engines.unasked).toBe(0);
  });
  afterAll(async () => {
    agent.destroy();
    await router.close();
    await engines.stop();
  });

  const agent = new Agent({ keepAlive: true });
  /** The requests of one test. */
  const opened: ClientRequest[] = [];
  const postWith = (
    connection: string,
    body: string | object,
    headers: Record<string, string> = {},
  ): ClientRequest => {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const lines = { connection, 'content-type': 'application/json', 'content-length': bytes.length };
    const sent = open(url, { method: 'POST', agent, headers: { ...lines, ...headers } });
    sent.end(bytes);
    opened.push(sent);
    return sent;
  };
  /** Answers the next request. */
  const answerNext = async (bytes: Buffer | string = sized(OK)): Promise<Arrival> => {
    const arrival = await engines.next();
    arrival.socket.write(bytes);
    return arrival;
  };

  describe('a request', () => {
    it('reaches the engine byte for byte, with the headers of a proxy and the id of its client', async () => {
      const sent = postWith('close', ODD_JSON, { 'X-Request-Id': 'mine', 'X-Odd': 'a  b' });
      const { head, body } = await answerNext();
      const answer = await headOf(sent);
      answer.resume();
      expect(body.toString()).toBe(ODD_JSON);
      expect(head).toMatch(/^POST \/v1\/chat\/completions HTTP\/1\.1\r\n/);
      expect(head).toMatch(new RegExp(`\r\ncontent-length: ${Buffer.byteLength(ODD_JSON)}\r\n`, 'i'));
      expect(head).toMatch(/\r\nx-forwarded-for: 127\.0\.0\.1\r\n/i);
      expect(head).toMatch(/\r\nx-forwarded-proto: http\r\n/i);
      expect(head).toMatch(new RegExp(`\r\nx-forwarded-host: ${new URL(url).host}\r\n`, 'i'));
      expect(head).toMatch(/\r\nx-request-id: mine\r\n/i);
      expect(head).toMatch(/\r\nX-Odd: a {2}b\r\n/);
      expect(answer.headers['x-request-id']).toBe('mine');
    });

    it('in chunks of any size reaches it with its length', async () => {
      const whole = JSON.stringify(request({ pad: '\u00e9'.repeat(20_000) }));
      const bytes = Buffer.from(whole);
      const socket = await openSocket(url);
      socket.write(
        `POST ${PATH} HTTP/1.1\r\nhost: r\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n`,
      );
      for (let at = 0, size = 1; at < bytes.length; at += size, size = Math.min(size * 3, 9_001)) {
        socket.write(chunk(bytes.subarray(at, at + size)));
      }
      socket.write('0\r\n\r\n');
      const { head, body } = await answerNext();
      expect(sha256(body)).toBe(sha256(bytes));
      expect(head).toMatch(new RegExp(`\r\ncontent-length: ${bytes.length}\r\n`, 'i'));
      expect(head).not.toMatch(/transfer-encoding/i);
      expect(afterHead(await readToClose(socket))).toBe(OK);
    });

    it('whose client waits for 100 Continue gets it once, before the answer', async () => {
      const socket = await openSocket(url);
      const [head, body] = raw('connection: close\r\nexpect: 100-continue\r\n').split('\r\n\r\n') as [
        string,
        string,
      ];
      socket.write(`${head}\r\n\r\n`);
      expect(await readUntil(socket, '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write(body);
      const arrival = await answerNext();
      expect(arrival.body.toString()).toBe(text);
      expect(arrival.head).not.toMatch(/\r\nexpect:/i);
      expect(await readToClose(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"ok":1\}$/);
    });
  });

  // The router writes answers itself to clients that keep their connection, through Node to those that do not.
  describe.each(CONNECTIONS)('of a client that says connection: %s', (connection) => {
    const post = (body: string | object): ClientRequest => postWith(connection, body);

    describe('an answer', () => {
      const bytes = randomBytes(300_000);

      it.each<[string, (socket: Socket) => void, string]>([
        ['with its length', (socket) => void socket.write(sized(bytes, 'X-A: b  c\r\nx-a: d')), 'length'],
        [
          'in chunks',
          (socket) => {
            socket.write('HTTP/1.1 200 OK\r\nX-A: b  c\r\nx-a: d\r\ntransfer-encoding: chunked\r\n\r\n');
            for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 60_000) {
              socket.write(chunk(bytes.subarray(at, at + size)));
            }
            socket.write('0\r\n\r\n');
          },
          'chunks',
        ],
        [
          'up to the end of the connection',
          (socket) => {
            socket.write('HTTP/1.1 200 OK\r\nX-A: b  c\r\nx-a: d\r\n\r\n');
            socket.end(bytes);
          },
          'end',
        ],
      ])('%s reaches the client byte for byte', async (_name, play, framing) => {
        const sent = post(text);
        play((await engines.next()).socket);
        const answer = await headOf(sent);
        const parts: Buffer[] = [];
        for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
        expect(sha256(Buffer.concat(parts))).toBe(sha256(bytes));
        const { rawHeaders, headers } = answer;
        expect(rawHeaders.slice(rawHeaders.indexOf('X-A')).slice(0, 4)).toEqual(['X-A', 'b  c', 'x-a', 'd']);
        expect(headers['content-length']).toBe(framing === 'length' ? String(bytes.length) : undefined);
        expect(headers['transfer-encoding']).toBe(framing === 'length' ? undefined : 'chunked');
      });

      it('with a status, a reason and an error of its own reaches the client as it is', async () => {
        const exchange = rawExchange(url, raw('connection: close\r\n'));
        await answerNext(sized('{"object":"error"}', 'content-type: application/json', '422 Not That'));
        expect(await exchange).toMatch(/^HTTP\/1\.1 422 Not That\r\n[\s\S]*\r\n\r\n\{"object":"error"\}$/);
      });
    });

    describe('a stream', () => {
      it('comes frame by frame: each before the engine sends the next', async () => {
        const sent = post(request({ stream: true }));
        const { socket } = await engines.next();
        socket.write(chunkedHead(EVENTS));
        socket.write(chunk(delta('0')));
        const next = frameReader(await headOf(sent));
        expect(await next()).toBe(delta('0'));
        for (let n = 1; n < 20; n++) {
          socket.write(chunk(delta(`${n}`)));
          expect(await next()).toBe(delta(`${n}`));
        }
        socket.write(chunk(DONE));
        expect(await next()).toBe(DONE);
        socket.write('0\r\n\r\n');
        expect(await next()).toBeNull();
      });

      it('is the same however its frames are cut, and its parts end with frames', async () => {
        const whole = Buffer.from(
          `: hello\n\n${delta('caf\u00e9 \ud83d\ude80')}event: x\r\ndata: {"a":1}\r\n\r\n${delta('b')}${delta('c')}${DONE}`,
        );
        for (const size of [1, 5, 64, whole.length]) {
          for (const onePerWrite of [true, false]) {
            const coming = headOf(post(request({ stream: true })));
            const { socket } = await engines.next();
            let wire = Buffer.from(chunkedHead(EVENTS));
            for (let at = 0; at < whole.length; at += size) {
              wire = Buffer.concat([wire, chunk(whole.subarray(at, at + size))]);
              if (!onePerWrite) continue;
              socket.write(wire);
              wire = Buffer.alloc(0);
              await turn();
            }
            socket.write(Buffer.concat([wire, Buffer.from('0\r\n\r\n')]));
            const parts: Buffer[] = [];
            for await (const part of (await coming) as AsyncIterable<Buffer>) parts.push(part);
            expect(Buffer.concat(parts).toString()).toBe(whole.toString());
            expect(parts.filter((part) => !/\n\r?\n$/.test(part.toString('latin1')))).toEqual([]);
          }
        }
      });

      it('that its client reads slowly comes whole, and does not pile up in the router', async () => {
        const frames = 400;
        const [opening, end] = delta('|').split('|') as [string, string];
        const pad = ` ${'x'.repeat(64 * 1024)}${end}`;
        const sent = post(request({ stream: true }));
        const { socket } = await engines.next();
        let written = 0;
        const writing = (async () => {
          socket.write(chunkedHead(EVENTS));
          for (; written < frames; written++) {
            if (!socket.write(chunk(`${opening}${written}${pad}`))) await once(socket, 'drain');
          }
          socket.write('0\r\n\r\n');
        })();
        const answer = await headOf(sent);
        // The engine has stopped when all buffers between it and the client are full.
        for (let before = -1; before !== written;) {
          before = written;
          for (let turns = 0; turns < 200; turns++) await turn();
        }
        // The kernel's own buffers hold some; 25 MiB in all are to be sent.
        expect(written).toBeLessThan(frames * 0.9);
        const next = frameReader(answer);
        for (let n = 0; n < frames; n++) {
          const frame = (await next()) ?? '';
          expect(frame.length).toBe(opening.length + `${n}`.length + pad.length);
          expect(frame.startsWith(`${opening}${n} x`)).toBe(true);
        }
        expect(await next()).toBeNull();
        await writing;
      });
    });

    describe('before a byte has gone to the client', () => {
      it.each(BEFORE_COMMIT)('an engine that %s is followed by the other', async (name, act) => {
        const sent = post(request({ model: `${connection} ${name}`, stream: true }));
        const failing = await engines.next();
        act(failing.socket);
        const other = await engines.next();
        expect(other.engine).not.toBe(failing.engine);
        expect(other.body.toString()).toBe(failing.body.toString());
        other.socket.write(chunkedHead(EVENTS));
        other.socket.write(Buffer.concat([chunk(delta('a')), chunk(DONE), Buffer.from('0\r\n\r\n')]));
        const answer = await headOf(sent);
        const parts: Buffer[] = [];
        for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
        expect([answer.statusCode, Buffer.concat(parts).toString()]).toEqual([200, delta('a') + DONE]);
      });

      it('an engine that refuses is followed by the other', async () => {
        for (let n = 0; n < 2; n++) {
          const sent = ask(url, { body: request({ model: 'half' }) });
          await answerNext();
          const answer = await sent;
          expect([answer.status, answer.body.toString()]).toEqual([200, OK]);
        }
        expect(await metric(router.url, 'vllm_router_ejections_total', 'cause="refused"')).toBeGreaterThan(0);
      });
    });

    describe('after the first bytes', () => {
      it.each<[string, (socket: Socket) => void]>([
        ['resets', (socket) => void socket.resetAndDestroy()],
        ['closes between frames', (socket) => void socket.end()],
        ['closes within a frame', (socket) => void socket.end(chunk('data: {"cho'))],
        ['closes within a chunk', (socket) => void socket.end('40\r\ndata: {"cho')],
      ])('a stream whose engine %s ends in an error event and no [DONE]', async (_name, act) => {
        const sent = post(request({ stream: true }));
        const { socket } = await engines.next();
        socket.write(chunkedHead(EVENTS));
        socket.write(chunk(delta('a')));
        const next = frameReader(await headOf(sent));
        expect(await next()).toBe(delta('a'));
        act(socket);
        const last = (await next()) ?? '';
        expect(errorOf({ body: Buffer.from(framesOf(last)[0]!.slice('data: '.length)) }).code).toBe(
          'stream_interrupted',
        );
        expect(await next()).toBeNull();
      });

      it.each<[string, string]>([
        ['with a length', 'HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: 90\r\n\r\nhalf'],
        ['in chunks', `${chunkedHead('audio/wav')}4\r\nhalf\r\n`],
      ])('a body %s is cut, so that it cannot pass as complete', async (_name, begun) => {
        const socket = await openSocket(url);
        socket.write(raw());
        const engine = await answerNext(begun);
        const before = await readUntil(socket, 'half');
        engine.socket.end();
        const answer = before + (await readToClose(socket));
        expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*half(\r\n)?$/);
      });
    });

    describe('a client that leaves', () => {
      it.each([true, false])(
        'before the answer closes the connection to the engine (stream: %s)',
        async (stream) => {
          const sent = post(request({ stream }));
          sent.on('error', () => undefined);
          const { socket } = await engines.next();
          const closed = once(socket, 'close');
          sent.destroy();
          await closed;
        },
      );

      it('in the middle of a stream closes the connection to the engine', async () => {
        const sent = post(request({ stream: true }));
        const { socket } = await engines.next();
        socket.write(chunkedHead(EVENTS));
        socket.write(chunk(delta('a')));
        const answer = await headOf(sent);
        await frameReader(answer)();
        const closed = once(socket, 'close');
        answer.destroy();
        await closed;
      });
    });
  });

  describe('a connection', () => {
    it('answers three requests that come at once, in their order', async () => {
      const socket = await openSocket(url);
      const bodies = [1, 2, 3].map((n) => JSON.stringify(request({ n })));
      socket.write(bodies.map((body) => raw('', '1.1', body)).join(''));
      const arrivals = [await engines.next(), await engines.next(), await engines.next()];
      const numberOf = ({ body }: Arrival): number => (JSON.parse(body.toString()) as { n: number }).n;
      // The engines answer in the opposite order.
      for (const arrival of arrivals.sort((a, b) => numberOf(b) - numberOf(a))) {
        arrival.socket.write(sized(`{"answer":${numberOf(arrival)}}`));
      }
      const answers = await readUntil(socket, '{"answer":3}');
      expect(answers.match(/HTTP\/1\.1 200 OK\r\n|\{"answer":\d\}/g)).toEqual(
        [1, 2, 3].flatMap((n) => ['HTTP/1.1 200 OK\r\n', `{"answer":${n}}`]),
      );
      // And goes on.
      socket.write(raw('connection: close\r\n'));
      await answerNext();
      expect(await readToClose(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"ok":1\}$/);
    });

    it('serves streams one after the other', async () => {
      const socket = await openSocket(url);
      for (let n = 0; n < 3; n++) {
        socket.write(raw('', '1.1', JSON.stringify(request({ stream: true }))));
        const engine = await engines.next();
        engine.socket.write(chunkedHead(EVENTS));
        engine.socket.write(Buffer.concat([chunk(delta('a')), chunk(DONE), Buffer.from('0\r\n\r\n')]));
        const answer = await readUntil(socket, '0\r\n\r\n');
        expect(answer.startsWith('HTTP/1.1 200 OK\r\n')).toBe(true);
        expect(answer).toContain(delta('a'));
      }
      socket.destroy();
    });

    it('of a client that speaks HTTP/1.0 ends with its answer, which has no chunks', async () => {
      const exchange = rawExchange(url, raw('', '1.0'));
      await answerNext(`${chunkedHead('application/json')}8\r\n{"ok":1}\r\n0\r\n\r\n`);
      const answer = await exchange;
      expect(answer).not.toMatch(/transfer-encoding/i);
      expect(afterHead(answer)).toBe(OK);
    });

    it('that its client wants closed is closed behind the answer', async () => {
      const exchange = rawExchange(url, raw('connection: close\r\n'));
      await answerNext();
      const answer = await exchange;
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(afterHead(answer)).toBe(OK);
    });

    it('goes on after an answer to HEAD, which has no body', async () => {
      const socket = await openSocket(url);
      socket.write(`HEAD ${PATH}?model=m HTTP/1.1\r\nhost: r\r\n\r\n`);
      const { head } = await answerNext('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n');
      expect(head).toMatch(/^HEAD \/v1\/chat\/completions\?model=m HTTP\/1\.1\r\n/);
      const answer = await readUntil(socket, '\r\n\r\n');
      expect(answer).toMatch(/\r\ncontent-length: 8\r\n/i);
      expect(afterHead(answer)).toBe('');
      socket.write(raw('connection: close\r\n'));
      await answerNext();
      expect(afterHead(await readToClose(socket))).toBe(OK);
    });
  });

  describe('a refusal', () => {
    const json = JSON.stringify(request({ model: 'none' }));

    it.each<[string, string, number, string]>([
      ['an unknown model', raw('', '1.1', json), 404, 'model_not_found'],
      ['what is no JSON', raw('', '1.1', '{"model":'), 400, 'invalid_json'],
      ['no model', raw('', '1.1', '{}'), 400, 'model_required'],
      ['an unknown path', raw('', '1.1', '{}').replace(PATH, '/v1/none'), 404, 'route_not_found'],
    ])('of %s is told, and the connection goes on', async (_name, asked, status, code) => {
      const socket = await openSocket(url);
      socket.write(asked.replace('\r\n', '\r\nx-request-id: mine\r\n'));
      const answer = await readUntil(socket, '}}');
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer).toMatch(/\r\nx-request-id: mine\r\n/i);
      expect(answer).not.toMatch(/\r\nconnection: close\r\n/i);
      expect(errorOf({ body: Buffer.from(afterHead(answer)) }).code).toBe(code);
      socket.write(raw('connection: close\r\n'));
      await answerNext();
      expect(afterHead(await readToClose(socket))).toBe(OK);
    });

    it.each<[string, string]>([
      ['is announced', `content-length: ${BODY_LIMIT + 1}\r\n\r\n`],
      [
        'comes',
        `transfer-encoding: chunked\r\n\r\n${(BODY_LIMIT + 1).toString(16)}\r\n${'x'.repeat(BODY_LIMIT + 1)}`,
      ],
    ])('of a body that is too large comes when it %s, and closes', async (_name, rest) => {
      const socket = await openSocket(url);
      socket.write(`POST ${PATH} HTTP/1.1\r\nhost: r\r\n${rest}`);
      const answer = await readUntil(socket, '}}');
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(errorOf({ body: Buffer.from(afterHead(answer)) }).code).toBe('request_too_large');
      socket.end();
      await readToClose(socket);
    });
  });

  it('counts every request and holds nothing in the end', async () => {
    await until(async () => (await metric(router.url, 'vllm_router_requests_in_flight')) === 0);
    expect(await metric(router.url, 'vllm_router_requests_total', 'outcome="done"')).toBeGreaterThan(20);
    expect(await metric(router.url, 'vllm_router_client_disconnects_total')).toBe(6);
  });
}
