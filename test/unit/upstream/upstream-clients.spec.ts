import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import type { Engine } from '../../../src/core/engine.js';
import { Fleet } from '../../../src/core/fleet.js';
import { Http1Client } from '../../../src/upstream/http1/http1-client.js';
import type { EngineAccess } from '../../../src/security/engine-access.js';
import { UndiciClient } from '../../../src/upstream/undici-client.js';
import { UpstreamClients } from '../../../src/upstream/upstream-clients.service.js';
import type { AnswerPiece, UpstreamExchange } from '../../../src/upstream/upstream-client.js';
import { AnswerRecord } from '../../support/answer-record.js';
import { RawEngine } from '../../support/raw-engine.js';
import { until } from '../../support/until.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const CLIENTS = ['http1', 'undici'] as const;

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) await new Promise((next) => setImmediate(next));
};
const engineAt = (url: string, id = url): Engine => ({ id, url, models: [], labels: {} });
const clients = (upstreamClient: Settings['upstreamClient']): UpstreamClients =>
  new UpstreamClients(new SettingsStore({ upstreamClient, connectTimeout: 5 } as Settings), {
    tls: null,
  } as EngineAccess);

describe('the client of an engine', () => {
  it.each<[Settings['upstreamClient'], string, object]>([
    ['http1', 'http://a:8000', Http1Client],
    ['http1', 'https://a:8000', UndiciClient],
    ['undici', 'http://a:8000', UndiciClient],
    ['undici', 'https://a:8000', UndiciClient],
  ])('with --upstream-client %s for %s is the right one', (setting, url, made) => {
    expect(clients(setting).of(engineAt(url)).client.constructor).toBe(made);
  });

  it.each([
    ['http://a:8000', ''],
    ['http://a:8000/', ''],
    ['http://a:8000/prefix', '/prefix'],
    ['https://a/deep/prefix/', '/deep/prefix'],
  ])('of %s puts %j before each path', (url, prefix) => {
    expect(clients('http1').of(engineAt(url)).pathPrefix).toBe(prefix);
  });

  it('is one for each engine, as long as that is in the fleet', () => {
    const all = clients('http1');
    const [a, b] = [engineAt('http://a:1'), engineAt('http://b:1')];
    const [ofA, ofB] = [all.of(a), all.of(b)];
    expect(ofA).not.toBe(ofB);
    all.retain(Fleet.of([b], 1));
    expect(all.of(b)).toBe(ofB);
    expect(all.of(a)).not.toBe(ofA);
  });
});

describe.each(CLIENTS)('the connections of the client %s', (setting) => {
  let engine: RawEngine;
  let all: UpstreamClients;

  beforeEach(async () => {
    engine = await RawEngine.start();
    all = clients(setting);
  });
  afterEach(async () => {
    all.onApplicationShutdown();
    await engine.stop();
  });

  const send = (): AnswerRecord => {
    const record = new AnswerRecord();
    all
      .of(engineAt(engine.origin))
      .client.send({ method: 'GET', path: '/', headers: [], body: [] }, record, false);
    return record;
  };

  it('close at once when their engine has left the fleet, and not before', async () => {
    engine.answer({ raw: OK }, { raw: OK });
    expect(await send().over).toBe('ended');
    all.retain(Fleet.of([engineAt(engine.origin)], 1));
    expect(await send().over).toBe('ended');
    expect(engine.sockets).toHaveLength(1);
    all.retain(Fleet.of([], 2));
    await until(() => engine.sockets[0]!.destroyed);
  });

  it('in use when their engine leaves serve to the end of the answer, and then close', async () => {
    engine.answer({ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no' });
    const record = send();
    await record.begun;
    all.retain(Fleet.of([], 1));
    engine.sockets[0]!.write('k');
    expect(await record.over).toBe('ended');
    expect(record.text).toBe('ok');
    await until(() => engine.sockets[0]!.destroyed);
  });

  it('close when the application does', async () => {
    engine.answer({ raw: OK });
    await send().over;
    all.onApplicationShutdown();
    await until(() => engine.sockets[0]!.destroyed);
  });

  it.each([
    ['in chunks', 'transfer-encoding: chunked', '9c40\r\n', '\r\n0\r\n\r\n'],
    ['with a length', 'content-length: 40000', '', ''],
    ['up to the end', 'a: b', '', ''],
  ])(
    'give no piece of an answer %s that is empty, though it is paused',
    async (_name, header, before, after) => {
      const body = 'x'.repeat(40_000);
      const head = `HTTP/1.1 200 OK\r\n${header}\r\n\r\n`;
      const raw = head + before + body + after;
      const cuts = [head.length, ...Array.from({ length: 39 }, (_, i) => head.length + 10 + i * 1_000)];
      engine.answer({ raw, cuts, ...(header === 'a: b' ? { ending: 'fin' as const } : {}) });
      let exchange: UpstreamExchange;
      class Pausing extends AnswerRecord {
        override body(piece: AnswerPiece): void {
          super.body(piece);
          exchange.pause();
          setImmediate(() => exchange.resume());
        }
      }
      const record = new Pausing();
      const request = { method: 'GET', path: '/', headers: [], body: [] };
      exchange = all.of(engineAt(engine.origin)).client.send(request, record, false);
      expect(await record.over).toBe('ended');
      expect(record.text).toBe(body);
      expect(record.pieces.length).toBeGreaterThan(2);
      expect(record.pieces.filter(({ bytes }) => bytes.length === 0)).toEqual([]);
    },
  );

  it.each(
    [
      ['of HTTP/1.0 with a length', 'HTTP/1.0 200 OK\r\ncontent-length: 200000\r\n\r\n'],
      [
        'with a length and no more than that',
        'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n',
      ],
      ['with a length that it does not reach', 'HTTP/1.0 200 OK\r\ncontent-length: 200001\r\n\r\n'],
      ['up to the end', 'HTTP/1.1 200 OK\r\n\r\n'],
    ].flatMap(([name, head]) => (['fin', 'reset'] as const).map((ending) => [name!, ending, head!] as const)),
  )('hear the end of an answer %s, by %s, after the pause in which it comes', async (_name, ending, head) => {
    const body = 'x'.repeat(200_000);
    const written = new Promise<void>((done) =>
      engine.answer({ raw: head + body, cuts: [head.length + 10], ending, written: done }, { raw: OK }),
    );
    let exchange: UpstreamExchange;
    class Pausing extends AnswerRecord {
      override body(piece: AnswerPiece): void {
        super.body(piece);
        exchange.pause();
        if (this.pieces.length > 1) void turns(5).then(() => exchange.resume());
      }
    }
    const record = new Pausing();
    const request = { method: 'GET', path: '/', headers: [], body: [] };
    exchange = all.of(engineAt(engine.origin)).client.send(request, record, false);
    await Promise.all([record.begun, written]);
    // A round trip on another connection: the end has come by then.
    expect(await send().over).toBe('ended');
    expect(record.text.length).toBeLessThan(body.length);
    exchange.resume();
    const whole = ending === 'fin' && !head.includes('200001');
    const over = await record.over;
    if (whole) expect([over, record.text]).toEqual(['ended', body]);
    else expect(body.startsWith(record.text)).toBe(true);
  });
});
