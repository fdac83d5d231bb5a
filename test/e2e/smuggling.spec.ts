import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { chat, rawExchange } from '../support/http-client.js';
import { whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

const TEXT = JSON.stringify(chat());
/** A second request that would be found in the body of the first, if the two sides disagreed about its length. */
const HIDDEN = 'POST /v1/completions HTTP/1.1\r\nhost: r\r\ncontent-length: 0\r\n\r\n';
const request = (headers: string, body: string): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('a request whose end can be read in two ways', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine]);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close();
  });

  it.each<[string, string]>([
    [
      'both a length and chunks',
      request(`content-length: ${TEXT.length}\r\ntransfer-encoding: chunked`, `${chunk(TEXT)}0\r\n\r\n`),
    ],
    [
      'chunks and a length after them',
      request(`transfer-encoding: chunked\r\ncontent-length: 4`, `${chunk(TEXT)}0\r\n\r\n`),
    ],
    ['two lengths', request(`content-length: ${TEXT.length}\r\ncontent-length: 5`, TEXT + HIDDEN)],
    ['two equal lengths', request(`content-length: ${TEXT.length}\r\ncontent-length: ${TEXT.length}`, TEXT)],
    ['a list of lengths', request(`content-length: ${TEXT.length}, ${TEXT.length}`, TEXT)],
    ['a signed length', request(`content-length: +${TEXT.length}`, TEXT)],
    ['a hexadecimal length', request(`content-length: 0x10`, TEXT)],
    ['a length beyond all bounds', request(`content-length: 18446744073709551617`, TEXT)],
    ['a space before the colon', request(`content-length : ${TEXT.length}`, TEXT)],
    ['a space before the name', request(`\tcontent-length: ${TEXT.length}`, TEXT)],
    ['a folded header', request(`x-folded: a\r\n content-length: ${TEXT.length}`, TEXT)],
    ['line ends without CR', request(`content-length: ${TEXT.length}`, TEXT).replaceAll('\r\n', '\n')],
    ['a lone CR in a header', request(`x-a: b\rcontent-length: 3`, TEXT)],
    ['a NUL in a header', request(`x-a: b\0c\r\ncontent-length: ${TEXT.length}`, TEXT)],
    ['a coding other than chunked', request('transfer-encoding: identity', TEXT)],
    ['a coding before chunked', request('transfer-encoding: gzip, chunked', `${chunk(TEXT)}0\r\n\r\n`)],
    ['chunked twice', request('transfer-encoding: chunked, chunked', `${chunk(TEXT)}0\r\n\r\n`)],
    ['chunked spelled with a control', request('transfer-encoding: \x0bchunked', `${chunk(TEXT)}0\r\n\r\n`)],
    [
      'chunked in a second header',
      request('transfer-encoding: x\r\ntransfer-encoding: chunked', `${chunk(TEXT)}0\r\n\r\n`),
    ],
    ['a chunk size with a prefix', request('transfer-encoding: chunked', `0x${chunk(TEXT)}0\r\n\r\n`)],
    ['a signed chunk size', request('transfer-encoding: chunked', `-${chunk(TEXT)}0\r\n\r\n`)],
    [
      'a chunk size beyond all bounds',
      request('transfer-encoding: chunked', `1${'0'.repeat(16)}\r\n${TEXT}`),
    ],
    [
      'a chunk that ends too late',
      request('transfer-encoding: chunked', `${TEXT.length.toString(16)}\r\n${TEXT}x\r\n0\r\n\r\n`),
    ],
    [
      'chunk lines without CR',
      request('transfer-encoding: chunked', `${TEXT.length.toString(16)}\n${TEXT}\n0\n\n`),
    ],
    [
      'a line end in a chunk extension',
      request('transfer-encoding: chunked', `${TEXT.length.toString(16)};a=\n${TEXT}\r\n0\r\n\r\n`),
    ],
    ['two hosts', request(`host: other\r\ncontent-length: ${TEXT.length}`, TEXT)],
    ['no host', `POST /v1/chat/completions HTTP/1.1\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`],
    [
      'an unknown version',
      `POST /v1/chat/completions HTTP/1.2\r\nhost: r\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`,
    ],
    [
      'a version that is another protocol',
      `POST /v1/chat/completions HTTP/2.0\r\nhost: r\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`,
    ],
    [
      'a version without headers',
      `POST /v1/chat/completions HTTP/0.9\r\nhost: r\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`,
    ],
    [
      'chunks in HTTP/1.0',
      `POST /v1/chat/completions HTTP/1.0\r\nhost: r\r\ntransfer-encoding: chunked\r\n\r\n${chunk(TEXT)}0\r\n\r\n`,
    ],
    ['no version', `POST /v1/chat/completions\r\nhost: r\r\n\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('(%s) is refused, and what hides behind it is not read', async (_name, bytes) => {
    const before = engine.requestCount;
    const answer = await rawExchange(router.url, bytes + HIDDEN);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501) [\s\S]*\{"error":\{"message":/);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(engine.requestCount).toBe(before);
  });

  it('is none where requests follow each other properly on one connection', async () => {
    const before = engine.requestCount;
    const length = `content-length: ${TEXT.length}`;
    const answer = await rawExchange(
      router.url,
      request(length, TEXT) +
        request('transfer-encoding: Chunked', `${chunk(TEXT)}0\r\n\r\n`) +
        request(`${length}\r\nconnection: close`, TEXT),
    );
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(engine.requestCount).toBe(before + 3);
  });
});
