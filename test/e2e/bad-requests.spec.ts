import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { startRouter, type RunningRouter } from '../../src/serve.js';
import { ask, type Answer, chat, errorOf, jsonOf, rawExchange } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { flagsFor, startTestRouter } from '../support/start-router.js';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('a request that no engine should see', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny', 'org/large'] });
    router = await startTestRouter([engine]);
  });
  afterAll(async () => {
    expect(engine.requestCount).toBe(0);
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close();
  });

  const post = (body: Buffer | string, path = '/v1/chat/completions'): Promise<Answer> =>
    ask(router.url + path, { body, headers: JSON_TYPE });

  it.each<[string, Buffer | string, string]>([
    ['empty', '', 'model_required'],
    ['no JSON', '{"model": tiny}', 'invalid_json'],
    ['cut', '{"model": "tiny"', 'invalid_json'],
    ['NaN', '{"model": "tiny", "temperature": NaN}', 'invalid_json'],
    ['a megabyte of [', '['.repeat(1024 * 1024), 'invalid_json'],
    ['a megabyte of {"a":', '{"a":'.repeat(200_000), 'invalid_json'],
    ['a control character', '{"model": "ti\nny"}', 'invalid_json'],
    ['UTF-16', Buffer.from('\ufeff{"model": "tiny"}', 'utf16le'), 'invalid_json'],
    ['nothing but a byte order mark', '\ufeff', 'invalid_json'],
    ['a NUL', '\0', 'invalid_json'],
    ['a list', '[{"model": "tiny"}]', 'invalid_request'],
    ['a text', '"tiny"', 'invalid_request'],
    ['a number', '12', 'invalid_request'],
    ['null', 'null', 'invalid_request'],
    ['an object without a model', '{}', 'model_required'],
    ['a null model', '{"model": null}', 'model_required'],
    ['an empty model', '{"model": ""}', 'model_required'],
    ['a model that is a number', '{"model": 1}', 'invalid_request'],
    ['a model that is a list', '{"model": ["tiny"]}', 'invalid_request'],
    ['a model that is an object', '{"model": {"toString": "tiny"}}', 'invalid_request'],
  ])('is answered with 400 when its body is %s', async (_name, body, code) => {
    const answer = await post(body);
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/json']);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(errorOf(answer)).toMatchObject({ code, type: 'invalid_request_error' });
  });

  it.each([
    ['unknown', 'nope'],
    ['a name that objects inherit', '__proto__'],
    ['another one', 'constructor'],
    ['of another case', 'TINY'],
    ['padded', ' tiny'],
    ['long', 'x'.repeat(100_000)],
    ['full of controls', 'a\r\nSet-Cookie: b\u2028\0'],
  ])('is answered with 404 and the models that exist when its model is %s', async (_name, model) => {
    const answer = await post(JSON.stringify({ model, stream: true }));
    expect(answer.status).toBe(404);
    const error = errorOf(answer);
    expect(error).toMatchObject({ code: 'model_not_found', type: 'not_found_error', param: 'model' });
    expect(error.message).toContain('Models that exist: org/large, tiny.');
    expect(error.message.length).toBeLessThan(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is answered in the shape of the messages API there', async () => {
    const answer = await ask(`${router.url}/v1/messages`, {
      body: { model: 'nope' },
      headers: { 'x-request-id': 'mine' },
    });
    expect(answer.status).toBe(404);
    expect(jsonOf(answer)).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: expect.any(String), code: 'model_not_found' },
      request_id: 'mine',
    });
    expect(jsonOf(await ask(`${router.url}/v1/messages/count_tokens`, { body: '{' }))).toMatchObject({
      type: 'error',
    });
  });

  it('is answered with 404 where no route and no model is named', async () => {
    for (const [path, asking] of [
      ['/', {}],
      ['/nowhere', { body: '{' }],
      ['/nowhere', { body: {} }],
      ['/v1/chat/completions', {}],
      ['/nowhere?model=', {}],
      ['/%zz?model=tiny', {}],
      ['/%00?model=tiny', {}],
      ['/a%0d%0ab?model=tiny', {}],
      ['/..%2f..?model=tiny', {}],
    ] as const) {
      const answer = await ask(router.url + path, asking);
      expect([path, answer.status === 400 ? 404 : answer.status]).toEqual([path, 404]);
      expect(errorOf(answer).message).toEqual(expect.any(String));
      expect(answer.headers['x-request-id']).toEqual(expect.any(String));
    }
  });

  it('is answered in JSON when its method, type or target are odd', async () => {
    const text = JSON.stringify({ model: 'nope' });
    for (const [line, ...headers] of [
      ['TRACE /v1/chat/completions'],
      ['PROPFIND /v1/chat/completions?model=nope'],
      ['BREW /pot?model=nope'],
      ['POST /v1/chat/completions', 'content-type: ;;;'],
      ['POST /v1/chat/completions', 'content-type: application'],
      ['POST /v1/chat/completions', `content-type: ${'a/'.repeat(500)}`],
      ['POST /v1/audio/transcriptions', 'content-type: multipart/form-data'],
      ['POST /v1/audio/transcriptions', 'content-type: multipart/form-data; boundary='],
      ['POST /v1/chat/completions', 'expect: the unexpected'],
      ['POST *'],
      ['POST nowhere'],
      [`POST /${'a'.repeat(20_000)}`],
    ] as const) {
      const answer = await rawExchange(
        router.url,
        [
          `${line} HTTP/1.1`,
          'host: r',
          'connection: close',
          ...headers,
          `content-length: ${text.length}`,
          '',
          text,
        ].join('\r\n'),
      );
      expect([line, answer]).toEqual([
        line,
        expect.stringMatching(/^HTTP\/1\.1 4\d\d [\s\S]*\r\n\r\n\{"error":\{"message":/),
      ]);
    }
  });

  it('leaves no text of its own in a label', async () => {
    const text = (await ask(`${router.url}/metrics`)).body.toString();
    expect(text).not.toMatch(/nope|__proto__|Set-Cookie|TINY/);
    expect(await metric(router.url, 'vllm:num_incoming_requests_total', 'model="unknown"')).toBeGreaterThan(
      7,
    );
    expect(
      await metric(router.url, 'vllm_router_rejections_total', 'code="model_not_found"'),
    ).toBeGreaterThan(7);
  });
});

describe('a request that engines understand better than the router', () => {
  it('is passed on', async () => {
    const engine = await startSimulatedEngine({ models: ['tiny'] });
    const router = await startTestRouter([engine]);
    const rest = '"messages":[{"role":"user","content":"a"}]';
    for (const [body, status] of [
      // The simulated engine takes no byte order mark; vLLM does.
      [`\ufeff{"model":"tiny",${rest}}`, 400],
      [`{"model":"tiny","n":1e400,"big":${'9'.repeat(5_000)},${rest}}`, 200],
      [`{"model":"tiny","__proto__":{"model":"x"},${rest}}`, 200],
      [`{"mod\\u0065l":"tiny",${rest}}`, 200],
      ['{"model":"tiny"}', 400],
    ] as const) {
      const seen = engine.nextRequest();
      const answer = await ask(`${router.url}/v1/chat/completions`, { body, headers: JSON_TYPE });
      expect([(await seen).body, answer.status]).toEqual([body, status]);
    }
    const invalid = Buffer.concat([
      Buffer.from('{"model":"tiny","x":"'),
      Buffer.from([0xff, 0xc0]),
      Buffer.from(`",${rest}}`),
    ]);
    const seen = engine.nextRequest();
    await ask(`${router.url}/v1/chat/completions`, { body: invalid, headers: JSON_TYPE });
    expect((await seen).bodyLength).toBe(invalid.length);
    await router.close();
    await engine.close();
  });
});

describe('a model whose engines are not there', () => {
  it('is 503 until discovery has synced, then 404', async () => {
    const silent = await startSimulatedEngine({ models: ['tiny'] });
    await silent.setFault({ on: 'all', hang: 'before-head' });
    const router = await startRouter(
      [
        ...flagsFor([silent]).filter(
          (flag, i, all) => flag !== '--static-models' && all[i - 1] !== '--static-models',
        ),
        '--backend-health-check-timeout-seconds',
        '1',
      ],
      {},
    );
    const early = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect([early.status, errorOf(early).code, early.headers['retry-after']]).toEqual([
      503,
      'not_synced',
      '1',
    ]);
    while (!(await ask(`${router.url}/ready`)).body.includes('"ready"'));
    const late = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect([late.status, errorOf(late).message]).toEqual([
      404,
      "Model 'tiny' not found. No model is served.",
    ]);
    await router.close();
    await silent.close();
  });

  it('is 503 with Retry-After while it is known to have been served', async () => {
    const engine = await startSimulatedEngine({ models: ['tiny', 'adapter'] });
    const args = flagsFor([engine]).filter(
      (flag, i, all) => flag !== '--static-models' && all[i - 1] !== '--static-models',
    );
    const router = await startRouter([...args, '--model-refresh-interval', '0.05'], {});
    while (
      (await ask(`${router.url}/v1/chat/completions`, { body: chat({ model: 'adapter' }) })).status !== 200
    );
    engine.models = ['tiny'];
    let gone: Answer;
    do gone = await ask(`${router.url}/v1/chat/completions`, { body: chat({ model: 'adapter' }) });
    while (gone.status === 200 || gone.body.includes('NotFoundError'));
    expect([gone.status, errorOf(gone).code, gone.headers['retry-after']]).toEqual([
      503,
      'no_engine_ready',
      '5',
    ]);
    await router.close();
    await engine.close();
  });
});
