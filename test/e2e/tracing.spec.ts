import 'reflect-metadata';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ServerCredentials } from '@grpc/grpc-js';
import type { RunningRouter } from '../../src/serve.js';
import { startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, begin, chat, frameReader, headOf } from '../support/http-client.js';
import { settingsFor, startHostApplication } from '../support/host-application.js';
import { ROOT } from '../support/project-files.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { chunk, chunkedHead, ScriptedEngines, sized } from '../support/scripted-engine.js';
import { startRouterProcess } from '../support/router-process.js';
import { startTestRouter } from '../support/start-router.js';
import { type ReceivedSpan, spansIn, TraceReceiver } from '../support/trace-receiver.js';
import { until } from '../support/until.js';
import { chatText, DONE } from '../unit/core/continuation/frames.js';

const PATH = '/v1/chat/completions';
const EVENTS = 'text/event-stream; charset=utf-8';
const LAST = '0\r\n\r\n';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const ANSWER = JSON.stringify({
  choices: [{ message: { content: 'the answer that nobody else may read' } }],
  usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } },
});
const PROMPT = 'the prompt that nobody else may read';

const contextAt = (head: string): string | undefined => /^traceparent: (.*)\r$/im.exec(head)?.[1];
const stateAt = (head: string): string | undefined => /^tracestate: (.*)\r$/im.exec(head)?.[1];
const body = (fields: object = {}) => ({
  model: 'm',
  max_tokens: 6,
  messages: [{ role: 'user', content: PROMPT }],
  ...fields,
});

describe('a request that is traced', () => {
  let receiver: TraceReceiver;
  let engines: ScriptedEngines;
  let router: RunningRouter;
  let requests = 0;

  const served = () => engines.urls.map((url) => ({ url, models: ['m'] }));
  const flags = (...more: string[]) => ['--otel-endpoint', receiver.address, ...more];
  const send = (url: string, headers: Record<string, string> = {}, fields: object = {}) => {
    const id = `traced-${++requests}`;
    const sent = begin(`${url}${PATH}`, { body: body(fields), headers: { 'x-request-id': id, ...headers } });
    sent.on('error', () => undefined);
    const answer = headOf(sent);
    answer.catch(() => undefined);
    return { id, sent, answer };
  };
  const whole = async (answer: ReturnType<typeof headOf>): Promise<number> => {
    const read = await answer;
    for await (const _ of read) void _;
    return read.statusCode!;
  };

  beforeAll(async () => {
    receiver = await TraceReceiver.start();
    engines = await ScriptedEngines.start(3);
    router = await startTestRouter(
      served(),
      flags('--stream-failover', 'continue', '--otel-service-name', 'front'),
    );
  });
  afterEach(async () => {
    await whenNothingIsHeld(router.url);
    expect(engines.unasked).toBe(0);
  });
  afterAll(async () => {
    await router.close();
    await engines.stop();
    receiver.stop();
  });

  it('has a server span and a client span, with what is known of it and nothing of its text', async () => {
    const { id, answer } = send(router.url);
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    expect(await whole(answer)).toBe(200);
    const [server, client] = (await receiver.trace(id, 2)) as [ReceivedSpan, ReceivedSpan];
    expect(server).toMatchObject({
      kind: 'SPAN_KIND_SERVER',
      name: `POST ${PATH}`,
      parentId: '',
      isError: false,
    });
    expect(server.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': PATH,
      'url.path': PATH,
      'url.scheme': 'http',
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'm',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 3,
      'gen_ai.usage.cache_read.input_tokens': 4,
      'vllm.request_id': id,
      'vllm.routing_logic': 'roundrobin',
      'vllm.backend_url': engines.urls[arrival.engine],
      'vllm_router.attempts': 1,
      'vllm_router.candidates': 3,
      'vllm_router.outcome': 'done',
    });
    expect(client).toMatchObject({ kind: 'SPAN_KIND_CLIENT', name: 'chat m', parentId: server.spanId });
    const { hostname, port } = new URL(engines.urls[arrival.engine]!);
    expect(client.attributes).toMatchObject({
      'server.address': hostname,
      'server.port': Number(port),
      'url.full': `${engines.urls[arrival.engine]}${PATH}`,
      'gen_ai.provider.name': 'vllm',
      'gen_ai.request.model': 'm',
      'vllm_router.attempt': 1,
      'vllm_router.attempt.kind': 'first',
      'vllm_router.place': 1,
      'vllm_router.outcome': 'done',
    });
    expect(client.start >= server.start && client.end <= server.end && client.end > client.start).toBe(true);
    expect(server.resource).toMatchObject({ 'service.name': 'front' });
    expect(String(server.resource['service.instance.id'])).toMatch(/^[0-9a-f-]{36}$/);
    const told = JSON.stringify(receiver.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(told).not.toContain('nobody else may read');
    expect(contextAt(arrival.head)).toBe(`00-${server.traceId}-${client.spanId}-01`);
  });

  it('has a client span for each attempt when it moves on to another engine', async () => {
    const { id, answer } = send(router.url);
    const first = await engines.next();
    first.socket.destroy();
    const second = await engines.next();
    second.socket.write(sized(ANSWER));
    expect(await whole(answer)).toBe(200);
    const [server, failed, done, ...more] = await receiver.trace(id, 3);
    expect(more).toEqual([]);
    expect([failed!.parentId, done!.parentId]).toEqual([server!.spanId, server!.spanId]);
    expect(failed).toMatchObject({ isError: true });
    expect(failed!.attributes).toMatchObject({
      'error.type': 'reset',
      'vllm_router.cause': 'reset',
      'vllm_router.outcome': 'failed',
      'vllm.backend_url': engines.urls[first.engine],
    });
    expect(done!.attributes).toMatchObject({
      'vllm_router.attempt': 2,
      'vllm_router.attempt.kind': 'retry',
      'http.request.resend_count': 1,
      'vllm.backend_url': engines.urls[second.engine],
    });
    expect(server).toMatchObject({ isError: false });
    expect(server!.attributes).toMatchObject({ 'vllm_router.attempts': 2, 'vllm_router.outcome': 'done' });
    expect([first, second].map(({ head }) => contextAt(head))).toEqual(
      [failed, done].map((span) => `00-${server!.traceId}-${span!.spanId}-01`),
    );
  });

  it('has one for the engine that goes on with its stream', async () => {
    const { id, answer } = send(router.url, {}, { stream: true });
    const first = await engines.next();
    first.socket.write(chunkedHead(EVENTS));
    first.socket.write(chunk(chatText('one')));
    const frames = frameReader(await answer);
    expect(await frames()).toContain('one');
    first.socket.destroy();
    const second = await engines.next();
    second.socket.write(chunkedHead(EVENTS));
    second.socket.end(chunk(chatText(' two') + chatText('', 'stop') + DONE) + LAST);
    while ((await frames()) !== null);
    const [server, broken, going] = await receiver.trace(id, 3);
    expect(broken!.events).toEqual(['first_token']);
    expect(broken!.attributes).toMatchObject({
      'vllm_router.outcome': 'failed',
      'vllm_router.cause': 'reset',
    });
    expect(going!.attributes).toMatchObject({ 'vllm_router.attempt.kind': 'continuation' });
    expect(server!.attributes['vllm_router.ttft']).toBeGreaterThan(0);
  });

  it('ends when its client leaves', async () => {
    const { id, sent } = send(router.url);
    const arrival = await engines.next();
    sent.destroy();
    const [server, client] = await receiver.trace(id, 2);
    expect([server!.isError, client!.isError]).toEqual([false, false]);
    expect([server, client].map((span) => span!.attributes['vllm_router.outcome'])).toEqual([
      'client_left',
      'client_left',
    ]);
    expect(server!.attributes['http.response.status_code']).toBeUndefined();
    arrival.socket.destroy();
  });

  it('is an error when no engine answers it, and none when the client asks for what there is not', async () => {
    const { id, answer } = send(router.url);
    for (let i = 0; i < 3; i++) (await engines.next()).socket.destroy();
    expect(await whole(answer)).toBe(502);
    const [server] = await receiver.trace(id, 4);
    expect(server).toMatchObject({ isError: true });
    expect(server!.attributes).toMatchObject({
      'error.type': 'engine_unreachable',
      'http.response.status_code': 502,
      'vllm_router.attempts': 3,
    });
    const unknown = send(router.url, {}, { model: 'none such' });
    expect(await whole(unknown.answer)).toBe(404);
    const [refused] = await receiver.trace(unknown.id, 1);
    expect(refused).toMatchObject({ isError: false });
    expect(refused!.attributes).toMatchObject({
      'error.type': 'model_not_found',
      'vllm_router.attempts': 0,
      'vllm_router.outcome': 'refused',
    });
  });

  it('goes on with the trace of its client, and hands it to the engine', async () => {
    const { id, answer } = send(router.url, {
      Traceparent: `00-${TRACE}-${CALLER}-01`,
      Tracestate: 'vendor=a:b,other=1',
    });
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    await whole(answer);
    const [server, client] = await receiver.trace(id, 2);
    expect(server).toMatchObject({ traceId: TRACE, parentId: CALLER, traceState: 'vendor=a:b,other=1' });
    expect(contextAt(arrival.head)).toBe(`00-${TRACE}-${client!.spanId}-01`);
    expect(stateAt(arrival.head)).toBe('vendor=a:b,other=1');
    expect(arrival.head.match(/traceparent|tracestate/gi)).toHaveLength(2);
  });

  it.each([
    ['a context that is none', { traceparent: '00-zz-zz-01', tracestate: 'vendor=1' }],
    ['a context of zeros', { traceparent: `00-${'0'.repeat(32)}-${CALLER}-01`, tracestate: 'vendor=1' }],
  ])('begins a trace of its own with %s', async (_, headers) => {
    const { id, answer } = send(router.url, headers);
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    await whole(answer);
    const [server] = await receiver.trace(id, 2);
    expect(server).toMatchObject({ parentId: '', traceState: '' });
    expect(contextAt(arrival.head)).toContain(server!.traceId);
    expect(stateAt(arrival.head)).toBeUndefined();
  });

  it('is not recorded where its client does not record it, and its context goes on', async () => {
    const given = `00-${TRACE.replace('0', '1')}-${CALLER}-00`;
    const { id, answer } = send(router.url, { traceparent: given, tracestate: 'vendor=1' });
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    await whole(answer);
    expect([contextAt(arrival.head), stateAt(arrival.head)]).toEqual([given, 'vendor=1']);
    // What came after it has arrived.
    const after = send(router.url, {}, { model: 'none such' });
    await whole(after.answer);
    await receiver.trace(after.id, 1);
    expect(receiver.spans.filter(({ attributes }) => attributes['vllm.request_id'] === id)).toEqual([]);
  });

  it('is recorded by --otel-sample-ratio where it brings no trace, and tells engines when it is not', async () => {
    const none = await startTestRouter(served(), flags('--otel-sample-ratio', '0'));
    const { id, answer } = send(none.url);
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    expect(await whole(answer)).toBe(200);
    expect(contextAt(arrival.head)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    const sampled = send(none.url, { traceparent: `00-${TRACE}-${CALLER}-01` });
    const other = await engines.next();
    other.socket.write(sized(ANSWER));
    await whole(sampled.answer);
    // Closing sends what there is.
    await none.close();
    await receiver.trace(sampled.id, 2);
    expect(receiver.spans.filter(({ attributes }) => attributes['vllm.request_id'] === id)).toEqual([]);
  });

  it.each(['http1', 'undici'] as const)(
    'is traced in an application of somebody else, with %s',
    async (client) => {
      const settings = settingsFor(engines.urls.map((url) => ({ url, model: 'm' })));
      const host = await startHostApplication({
        settings: {
          ...settings,
          routingLogic: 'roundrobin',
          upstreamClient: client,
          otelEndpoint: receiver.address,
        },
      });
      const { id, answer } = send(host.url);
      const first = await engines.next();
      first.socket.destroy();
      const second = await engines.next();
      second.socket.write(sized(ANSWER));
      expect(await whole(answer)).toBe(200);
      await host.close();
      const [server, failed, done] = await receiver.trace(id, 3);
      expect([failed, done].map((span) => span!.parentId)).toEqual([server!.spanId, server!.spanId]);
      expect([first, second].map(({ head }) => contextAt(head))).toEqual(
        [failed, done].map((span) => `00-${server!.traceId}-${span!.spanId}-01`),
      );
    },
  );

  it('has its engine’s headers as the client sent them when nothing is traced', async () => {
    const silent = await startTestRouter(served());
    const { answer } = send(silent.url, { TraceParent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1' });
    const arrival = await engines.next();
    arrival.socket.write(sized(ANSWER));
    await whole(answer);
    await silent.close();
    expect(arrival.head).toContain(`TraceParent: 00-${TRACE}-${CALLER}-01\r\n`);
    expect(stateAt(arrival.head)).toBe('vendor=1');
  });

  it('is told to a collector that takes OTLP over HTTP', async () => {
    const bodies: { path: string; type: string; names: string[] }[] = [];
    const collector = createServer((request, response) => {
      void buffer(request).then((bytes) => {
        const { url: path = '', headers } = request;
        bodies.push({
          path,
          type: headers['content-type'] ?? '',
          names: spansIn(bytes).map(({ name }) => name),
        });
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
    const web = await startTestRouter(served(), ['--otel-endpoint', url]);
    const { answer } = send(web.url);
    (await engines.next()).socket.write(sized(ANSWER));
    expect(await whole(answer)).toBe(200);
    await web.close();
    expect(bodies).toEqual([
      { path: '/v1/traces', type: 'application/x-protobuf', names: ['chat m', `POST ${PATH}`] },
    ]);
    collector.close();
    collector.closeAllConnections();
  });

  describe('and told to a collector that speaks TLS and asks for a certificate', () => {
    const tls = join(ROOT, 'test/fixtures/tls');
    const read = (name: string) => readFileSync(join(tls, name));
    const variables = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: join(tls, 'ca.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: join(tls, 'client.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: join(tls, 'client-key.pem'),
    };
    beforeAll(() => {
      Object.assign(process.env, variables);
    });
    afterAll(() => {
      for (const name of Object.keys(variables)) delete process.env[name];
    });
    const traced = async (...to: string[]): Promise<string> => {
      const secure = await startTestRouter(served(), ['--otel-endpoint', ...to]);
      const { id, answer } = send(secure.url);
      (await engines.next()).socket.write(sized(ANSWER));
      expect(await whole(answer)).toBe(200);
      await secure.close();
      return id;
    };

    it('comes over gRPC', async () => {
      const pair = { private_key: read('server-key.pem'), cert_chain: read('server.pem') };
      const collector = await TraceReceiver.start(
        0,
        ServerCredentials.createSsl(read('ca.pem'), [pair], true),
      );
      const id = await traced(collector.address, '--otel-secure');
      expect(await collector.trace(id, 2)).toHaveLength(2);
      collector.stop();
    });

    it('comes over HTTP', async () => {
      const names: string[] = [];
      const pair = { key: read('server-key.pem'), cert: read('server.pem') };
      const asks = { ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true };
      const collector = createSecureServer({ ...pair, ...asks }, (request, response) => {
        void buffer(request).then((bytes) => {
          names.push(...spansIn(bytes).map(({ name }) => name));
          response.end();
        });
      }).listen(0, '127.0.0.1');
      await once(collector, 'listening');
      await traced(`https://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`);
      expect(names).toEqual(['chat m', `POST ${PATH}`]);
      collector.close();
      collector.closeAllConnections();
    });
  });

  it('is told by the worker that served it, as its process ends too', async () => {
    const workers = await startRouterProcess(served(), flags('--workers', '2', '--shutdown-delay', '0'));
    const sent = [send(workers.url), send(workers.url)];
    for (const _ of sent) (await engines.next()).socket.write(sized(ANSWER));
    for (const { answer } of sent) expect(await whole(answer)).toBe(200);
    workers.child.kill('SIGTERM');
    expect(await workers.ended).toBe(0);
    const servers = await Promise.all(sent.map(async ({ id }) => (await receiver.trace(id, 2))[0]!.resource));
    expect(new Set(servers.map((resource) => resource['vllm_router.worker']))).toEqual(new Set([1, 2]));
    expect(new Set(servers.map((resource) => resource['service.instance.id'])).size).toBe(2);
  });

  it('is answered as ever when the collector is gone, and what is lost is counted', async () => {
    const gone = await TraceReceiver.start();
    gone.stop();
    const alone = await startTestRouter(served(), ['--otel-endpoint', gone.address]);
    const { answer } = send(alone.url);
    (await engines.next()).socket.write(sized(ANSWER));
    expect(await whole(answer)).toBe(200);
    await until(async () => (await metric(alone.url, 'vllm_router_trace_spans_lost_total')) === 2);
    await alone.close();
  });
});

describe('a stream that is traced where a gate holds and late ones are hedged', () => {
  it('has the time it was held, and a span for the attempt beside the first one', async () => {
    const receiver = await TraceReceiver.start();
    const engines = await Promise.all(
      [1, 2].map(() => startSimulatedEngine({ models: ['tiny'], tokenInterval: 1 })),
    );
    const flags = ['--hedge', '--ttft-target', '60', '--otel-endpoint', receiver.address];
    const router = await startTestRouter(engines, flags);
    const send = (id: string) =>
      ask(`${router.url}${PATH}`, { body: chat({ stream: true }), headers: { 'x-request-id': id } });
    // What is late is known from a hundred others.
    for (let i = 0; i < 8; i++) await Promise.all(Array.from({ length: 16 }, () => send('before')));
    await engines[0]!.setFault({ hang: 'after-head' });
    await Promise.all(['one', 'other'].map(send));
    await router.close();
    const { traceId } = receiver.spans.find(
      ({ attributes }) => attributes['vllm_router.attempt.kind'] === 'hedge',
    )!;
    const [server, away, won] = (await receiver.trace(traceId, 3)) as [
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
    ];
    expect(server.attributes['vllm_router.held']).toBeGreaterThanOrEqual(0);
    expect(server.attributes).toMatchObject({
      'vllm_router.outcome': 'done',
      'vllm_router.attempts': 2,
      'vllm.backend_url': engines[1]!.url,
    });
    expect(away).toMatchObject({ isError: false, parentId: server.spanId });
    expect(away.attributes).toMatchObject({ 'vllm_router.outcome': 'hedged_away', 'vllm_router.attempt': 1 });
    expect(won).toMatchObject({ parentId: server.spanId, events: ['first_token'] });
    expect(won.attributes).toMatchObject({ 'vllm_router.outcome': 'done', 'vllm_router.attempt': 2 });
    expect(won.start < away.end).toBe(true);
    await Promise.all(engines.map((engine) => engine.close(0)));
    receiver.stop();
  });
});
