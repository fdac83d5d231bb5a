import { createHash, randomBytes } from 'node:crypto';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat, openSocket, rawExchange, readToClose } from '../support/http-client.js';
import { whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** JSON that a parser and a writer would change in every line. */
const ODD_JSON =
  '{ "model" :\t"other","model": "tiny" ,\r\n "n": 12345678901234567890 , "f":1.10e+2,"dup":1,"dup":2,\n' +
  ' "text":"na\u00efve \\u00e9 \u4f60\u597d \ud83d\ude80 \\ud83d\\ude80 \\/", "empty" : { } , "list":[ ]}\n\n';

function form(parts: readonly (readonly [head: string, body: Buffer | string])[], boundary: string): Buffer {
  const pieces = parts.flatMap(([head, body]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

describe('the bytes of a request and its answer', () => {
  let engine: SimulatedEngine;
  let other: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    other = await startSimulatedEngine({ models: ['other'] });
    router = await startTestRouter([engine, other]);
  });
  afterEach(() => engine.setFault(null));
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all([engine.close(), other.close()]);
  });

  it('stay the same for JSON that no parser would write like this', async () => {
    await engine.setFault({ echo: true });
    const seen = engine.nextRequest();
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: ODD_JSON, headers });
    expect((await seen).sha256).toBe(sha256(ODD_JSON));
    expect(answer.body.toString()).toBe(ODD_JSON);
  });

  it('stay the same for a form with audio, whose model is read out of it', async () => {
    const boundary = 'xX--boundary';
    const audio = Buffer.concat([
      randomBytes(300_000),
      Buffer.from(`\r\n--${boundary}x\r\n`),
      randomBytes(1_000),
    ]);
    const body = form(
      [
        ['name="file"; filename="speech.wav"\r\nContent-Type: audio/wav', audio],
        ['name="language"', 'de'],
        ['name="model"', 'tiny'],
        ['name="timestamp_granularities[]"', 'word'],
        ['name="timestamp_granularities[]"', 'segment'],
      ],
      boundary,
    );
    const seen = engine.nextRequest();
    const headers = { 'content-type': `multipart/form-data; boundary="${boundary}"` };
    const answer = await ask(`${router.url}/v1/audio/transcriptions`, { body, headers });
    expect(answer.status).toBe(200);
    expect((await seen).sha256).toBe(sha256(body));
    expect((await seen).headers['content-type']).toBe(headers['content-type']);
  });

  it.each<[string, Record<string, string>]>([
    ['binary', { 'content-type': 'application/octet-stream' }],
    ['compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    ['without a type', {}],
    ['audio', { 'content-type': 'audio/wav' }],
  ])('stay the same for an answer that is %s', async (_name, headers) => {
    const bodyBytes = randomBytes(3_000_000);
    await engine.setFault({ answer: { headers, bodyBytes } });
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect(sha256(answer.body)).toBe(sha256(bodyBytes));
    expect(answer.headers['content-length']).toBe('3000000');
    expect(answer.headers['content-encoding']).toBe(headers['content-encoding']);
  });

  it('stay the same for an answer in chunks and for an empty one', async () => {
    const chunks = Array.from({ length: 50 }, (_, i) => randomBytes(1 + i * 997));
    await engine.setFault({ answer: { headers: { 'content-type': 'image/png' }, chunks } });
    const answer = await ask(`${router.url}/v1/images/generations`, { body: { model: 'tiny' } });
    expect(sha256(answer.body)).toBe(sha256(Buffer.concat(chunks)));
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    await engine.setFault({ answer: { status: 204 } });
    const empty = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect([empty.status, empty.body.length]).toEqual([204, 0]);
  });

  it('stay the same for a JSON answer that is too large to be looked at', async () => {
    await engine.setFault({ hugeAnswer: 2_500_000 });
    const body = chat({ request_id: 'same' });
    const [answer, direct] = [
      await ask(`${router.url}/v1/chat/completions`, { body, headers: { 'x-request-id': 'same' } }),
      await ask(`${engine.url}/v1/chat/completions`, { body, headers: { 'x-request-id': 'same' } }),
    ];
    expect(answer.body.toString().replace(/"created":\d+/, '')).toBe(
      direct.body.toString().replace(/"created":\d+/, ''),
    );
  });

  it('stay the same for an upload in chunks of any size, which comes with its length', async () => {
    const text = JSON.stringify(chat({ pad: 'p'.repeat(70_000) }));
    const socket = await openSocket(router.url);
    const seen = engine.nextRequest();
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\nconnection: close\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n',
    );
    for (let at = 0, size = 1; at < text.length; at += size, size = Math.min(size * 2, 9_001)) {
      const part = text.slice(at, at + size);
      socket.write(`${part.length.toString(16)};ext="a b"\r\n${part}\r\n`);
    }
    socket.write('0\r\nTrailer-Field: x\r\n\r\n');
    expect(await readToClose(socket)).toMatch(/^HTTP\/1\.1 200 /);
    const { sha256: hash, headers } = await seen;
    expect(hash).toBe(sha256(text));
    expect(headers['content-length']).toBe(String(text.length));
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['trailer-field']).toBeUndefined();
  });

  it('are sent with the query string and path as they were written', async () => {
    const target = '/v1/future%20thing/A%2Fb/?model=tiny&x=%41&x=1+2&y';
    const seen = engine.nextRequest();
    expect((await ask(router.url + target)).status).toBe(404);
    expect((await seen).path).toBe(target);
  });

  it('may be none at all where the query names the model', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT', 'POST']) {
      const seen = engine.nextRequest();
      const answer = await ask(`${router.url}/v1/some/thing?model=tiny`, { method });
      const { path, method: given, bodyLength, headers } = await seen;
      expect([given, path, bodyLength, answer.status]).toEqual([method, '/v1/some/thing?model=tiny', 0, 404]);
      expect(headers['transfer-encoding']).toBeUndefined();
      if (method !== 'HEAD') expect(answer.body.toString()).toBe('{"detail":"Not Found"}');
      else expect([answer.body.length, answer.headers['content-length']]).toEqual([0, '22']);
    }
  });

  it('need not be JSON where the query names the model', async () => {
    const body = randomBytes(5_000);
    const seen = engine.nextRequest();
    await ask(`${router.url}/v1/binary?model=tiny`, {
      body,
      headers: { 'content-type': 'application/x-odd; q="' },
    });
    expect((await seen).sha256).toBe(sha256(body));
    expect((await seen).headers['content-type']).toBe('application/x-odd; q="');
  });

  it('reach the engine for targets in absolute form, and of clients that speak HTTP/1.0', async () => {
    const text = JSON.stringify(chat());
    const rest = `content-type: application/json\r\ncontent-length: ${text.length}\r\n`;
    const absolute = `POST http://any.host:99/v1/chat/completions?a=1 HTTP/1.1\r\nhost: r\r\nconnection: close\r\n${rest}\r\n${text}`;
    const seen = engine.nextRequest();
    expect(await rawExchange(router.url, absolute)).toMatch(/^HTTP\/1\.1 200 /);
    expect((await seen).path).toBe('/v1/chat/completions?a=1');
    const old = await rawExchange(router.url, `POST /v1/chat/completions HTTP/1.0\r\n${rest}\r\n${text}`);
    expect(old).toMatch(/^HTTP\/1\.1 200 /);
    expect(old).toMatch(/connection: close/i);
    expect(old).not.toMatch(/transfer-encoding/i);
  });
});
