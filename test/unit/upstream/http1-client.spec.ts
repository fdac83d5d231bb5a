import { once } from 'node:events';
import { Http1Client } from '../../../src/upstream/http1/http1-client.js';
import type { UpstreamRequest } from '../../../src/upstream/upstream-client.js';
import { AnswerRecord } from '../../support/answer-record.js';
import { RawEngine } from '../../support/raw-engine.js';

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
    engine.answer({ raw: OK, then: 'fin' }, { raw: OK });
    expect(await send().over).toBe('ended');
    await once(engine.sockets[0]!, 'close');
    expect(await send().over).toBe('ended');
    expect(engine.sockets).toHaveLength(2);
  });
});
