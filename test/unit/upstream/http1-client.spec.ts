import { once } from 'node:events';
import { causeOfError } from '../../../src/core/attempt-failure.js';
import { Http1Client } from '../../../src/upstream/http1/http1-client.js';
import { UnsendableRequest, type UpstreamRequest } from '../../../src/upstream/upstream-client.js';
import { AnswerRecord } from '../../support/answer-record.js';
import { RawEngine } from '../../support/raw-engine.js';
import { until } from '../../support/until.js';

const GET: UpstreamRequest = { method: 'GET', path: '/x', headers: [], body: [] };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('the own client of engines', () => {
  let engine: RawEngine;
  let client: Http1Client;

  beforeEach(async () => {
    engine = await RawEngine.start();
    client = new Http1Client(engine.origin, () => 5_000);
  });

  afterEach(async () => {
    client.close();
    await engine.stop();
  });

  const send = (request: UpstreamRequest = GET, fresh = false): AnswerRecord => {
    const record = new AnswerRecord();
    client.send(request, record, fresh);
    return record;
  };

  it('uses a connection again', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    expect(await send().over).toBe('ended');
    const second = send();
    expect(await second.over).toBe('ended');
    expect(second.text).toBe('ok');
    expect(engine.sockets).toHaveLength(1);
  });

  it('drops a connection that the engine has closed', async () => {
    engine.answer({ raw: OK, ending: 'fin' }, { raw: OK });
    expect(await send().over).toBe('ended');
    await once(engine.sockets[0]!, 'close');
    expect(await send().over).toBe('ended');
    expect(engine.sockets).toHaveLength(2);
  });

  it('takes the connection that was used last', async () => {
    engine.answer({ raw: OK }, { raw: OK }, { raw: OK });
    const both = [send(), send()];
    await Promise.all(both.map(({ over }) => over));
    await send().over;
    expect(engine.sockets).toHaveLength(2);
  });

  it('takes a new connection when it is told to', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    await send().over;
    await send(GET, true).over;
    expect(engine.sockets).toHaveLength(2);
  });

  it('writes head and body of a small request as one, with host and length of its own', async () => {
    engine.answer({ raw: OK });
    const body = [Buffer.from('{"a":'), Buffer.from('1}')];
    await send({ method: 'POST', path: '/v1/x?y', headers: ['X-A', 'b \xe9'], body }).over;
    expect(engine.received).toEqual([
      `POST /v1/x?y HTTP/1.1\r\nHost: 127.0.0.1:${engine.port}\r\nX-A: b \xe9\r\ncontent-length: 7\r\n\r\n{"a":1}`,
    ]);
  });

  it('says that a POST has no body, and says nothing of a GET without', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    await send({ ...GET, method: 'POST' }).over;
    await send().over;
    expect(engine.received[0]?.match(/content-length: \d+/g)).toEqual(['content-length: 0']);
  });

  it.each([
    { method: 'GET /', path: '/', headers: [] },
    { method: 'CONNECT', path: '/', headers: [] },
    { method: 'GET', path: '/ HTTP/1.1\r\nx: y', headers: [] },
    { method: 'GET', path: '', headers: [] },
    { method: 'GET', path: '/\u0100', headers: [] },
    { method: 'GET', path: '/', headers: ['a b', 'c'] },
    { method: 'GET', path: '/', headers: ['a', 'b\r\nc: d'] },
    { method: 'GET', path: '/', headers: ['a', 'b\0'] },
    { method: 'GET', path: '/', headers: ['a', '\u0100'] },
    { method: 'GET', path: '/', headers: ['Content-Length', '1'] },
    { method: 'GET', path: '/', headers: ['transfer-encoding', 'chunked'] },
    { method: 'GET', path: '/', headers: ['HOST', 'x'] },
    { method: 'GET', path: '/', headers: ['connection', 'close'] },
  ])('refuses to send what would break the framing: %j', (part) => {
    expect(() => send({ ...part, body: [] })).toThrow(UnsendableRequest);
    expect(engine.sockets).toHaveLength(0);
  });

  it.each(['fin', 'reset'] as const)(
    'tells of a connection that was used again and ended with a %s',
    async (ending) => {
      engine.answer({ raw: OK }, { raw: '', ending });
      await send().over;
      const second = send();
      expect(await second.over).toBe('failed');
      expect(second.stale).toBe(true);
      expect(causeOfError(second.error)).toBe('reset');
      expect(second.calls).toEqual(['failed']);
    },
  );

  it('calls nothing stale on a fresh connection, or when a byte has come', async () => {
    engine.answer({ raw: '', ending: 'fin' }, { raw: OK }, { raw: 'H', ending: 'fin' });
    const fresh = send();
    expect(await fresh.over).toBe('failed');
    expect(fresh.stale).toBe(false);
    await send().over;
    const begun = send();
    expect(await begun.over).toBe('failed');
    expect(begun.stale).toBe(false);
  });

  it('takes bytes that nobody asked for as the end of an idle connection, and not for an answer', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    await send().over;
    engine.sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil');
    await once(engine.sockets[0]!, 'close');
    const second = send();
    expect(await second.over).toBe('ended');
    expect(second.text).toBe('ok');
  });

  it('is refused where nobody listens', async () => {
    const gone = await RawEngine.start();
    const { origin } = gone;
    await gone.stop();
    const record = new AnswerRecord();
    new Http1Client(origin, () => 5_000).send(GET, record, false);
    expect(record.calls).toEqual([]);
    expect(await record.over).toBe('failed');
    expect(causeOfError(record.error)).toBe('refused');
  });

  it('gives up connecting after its time', async () => {
    const record = new AnswerRecord();
    new Http1Client('http://192.0.2.1', () => 1).send(GET, record, false);
    expect(await record.over).toBe('failed');
    expect(['connect_timeout', 'refused']).toContain(causeOfError(record.error));
  });

  it('reaches an engine by a name', async () => {
    engine.answer({ raw: OK });
    const named = new Http1Client(`http://localhost:${engine.port}`, () => 5_000);
    const record = new AnswerRecord();
    named.send(GET, record, false);
    expect(await record.over).toBe('ended');
    named.close();
  });

  it('sends a large body whole, and takes the connection again', async () => {
    const size = 3 * 1024 * 1024;
    const body = [Buffer.alloc(size, 'a'), Buffer.alloc(size, 'b')];
    engine.answer({ raw: '' });
    const record = send({ method: 'POST', path: '/', headers: [], body });
    await until(() => (engine.received[0]?.length ?? 0) > 2 * size);
    engine.sockets[0]!.write(OK);
    expect(await record.over).toBe('ended');
    expect(engine.received[0]?.endsWith(`\r\n\r\n${'a'.repeat(size)}${'b'.repeat(size)}`)).toBe(true);
    engine.answer({ raw: OK });
    await send().over;
    expect(engine.sockets).toHaveLength(1);
  });

  it('takes an answer that comes before the request is written, and closes', async () => {
    const body = [Buffer.alloc(32 * 1024 * 1024)];
    engine.answer({ raw: 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n' });
    engine.pauseOnce();
    const record = send({ method: 'POST', path: '/', headers: [], body });
    expect(await record.over).toBe('ended');
    expect(record.status).toBe(413);
    engine.sockets[0]!.resume();
    await once(engine.sockets[0]!, 'close');
    expect(engine.received[0]!.length).toBeLessThan(body[0]!.length);
  });

  it('reads no more while it is paused, and loses nothing', async () => {
    const record = new AnswerRecord();
    const size = 16 * 1024 * 1024;
    let written = false;
    engine.answer({
      raw: `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`,
      ending: 'fin',
      written: () => (written = true),
    });
    const exchange = client.send(GET, record, false);
    await record.begun;
    exchange.pause();
    const before = record.pieces.length;
    for (let turn = 0; turn < 100; turn++) await new Promise((next) => setImmediate(next));
    expect(record.pieces).toHaveLength(before);
    expect(written).toBe(false);
    exchange.resume();
    expect(await record.over).toBe('ended');
    expect(record.text.length).toBe(size);
  });

  it('closes at once, and is silent after', async () => {
    engine.answer({ raw: 'HTTP/1.1 200 OK\r\n\r\nx' });
    const record = new AnswerRecord();
    const exchange = client.send(GET, record, false);
    await record.begun;
    exchange.close();
    await once(engine.sockets[0]!, 'close');
    exchange.close();
    expect(record.calls).toEqual(['head', 'body']);
  });

  it('does not let an exchange that is over reach the next one', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    const first = new AnswerRecord();
    const exchange = client.send(GET, first, false);
    await first.over;
    const second = send();
    exchange.pause();
    exchange.close();
    expect(await second.over).toBe('ended');
    expect(engine.sockets).toHaveLength(1);
  });

  it('closes idle connections after 4 s', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      engine.answer({ raw: OK }, { raw: OK });
      await send().over;
      jest.advanceTimersByTime(3_000);
      await send().over;
      const closed = once(engine.sockets[0]!, 'close');
      jest.advanceTimersByTime(3_999);
      expect(engine.sockets[0]!.destroyed).toBe(false);
      jest.advanceTimersByTime(2);
      await closed;
      expect(engine.sockets).toHaveLength(1);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('closes what is in use when it is given back', async () => {
    engine.answer({ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n' });
    const record = send();
    await record.headed;
    client.close();
    engine.sockets[0]!.write('x');
    expect(await record.over).toBe('ended');
    await once(engine.sockets[0]!, 'close');
  });

  it('carries thousands of requests over one connection, and gathers nothing on it', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error): void => void warnings.push(warning);
    process.on('warning', hear);
    for (let i = 0; i < 2_000; i++) {
      engine.answer({ raw: OK });
      expect(await send({ method: 'POST', path: '/', headers: [], body: [Buffer.from('{}')] }).over).toBe(
        'ended',
      );
    }
    process.off('warning', hear);
    expect(engine.sockets).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  // Node documents `onread` for one socket; that one buffer serves many rests on its calling back in the same
  // step as it reads.
  it('shares one buffer between connections: no bytes of one reach another', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + i).repeat(150_000 + i));
    for (const text of texts)
      engine.answer({ raw: `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}` });
    const records = texts.map(() => send());
    await Promise.all(records.map(({ over }) => over));
    expect(records.map(({ text }) => text).sort()).toEqual([...texts].sort());
  });
});
