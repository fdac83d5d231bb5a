// E4: a request whose first engine breaks off goes on to another one; its trace as a collector gets it that is built on
// the official definitions: PyPI's opentelemetry-proto and grpcio, installed into a folder of its own on the first run.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Figures, Missing } from './figures.mjs';
import { atEnd, ROOT, Running, startRouter, startSimulatedEngine, staticFleet, until } from './processes.mjs';

const VENV = join(homedir(), '.cache', 'vllm-router', 'otlp-venv');
const PYTHON = join(VENV, 'bin', 'python');
const PATH = '/v1/chat/completions';
/** The context of the client that asks. */
const CALLER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

const hasPackages = () =>
  existsSync(PYTHON) &&
  spawnSync(PYTHON, ['-c', 'import grpc, opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc'])
    .status === 0;

function installReceiver() {
  if (hasPackages()) return;
  const made = spawnSync('python3', ['-m', 'venv', VENV], { stdio: 'ignore' });
  const pip = join(VENV, 'bin', 'pip');
  if (made.status === 0)
    spawnSync(pip, ['install', '--quiet', 'opentelemetry-proto', 'grpcio'], { stdio: 'ignore' });
  if (!hasPackages()) throw new Missing('Python 3 with venv, and opentelemetry-proto and grpcio from PyPI');
}

/** An engine that closes the connection of each request, and hears its head. */
async function startBreaking(heads) {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        const head = bytes.toString('latin1').split('\r\n\r\n')[0];
        if (head.startsWith('GET ')) {
          socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
          return;
        }
        heads.push(head);
        socket.destroy();
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

const ms = (span, from) =>
  `${((span.start - from) / 1e6).toFixed(1)}..${((span.end - from) / 1e6).toFixed(1)} ms`;
const told = ({ attributes }) =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

export async function show() {
  installReceiver();
  const receiver = new Running(PYTHON, [join(ROOT, 'show', 'trace-receiver.py')]);
  const [, port] = await receiver.says(/"port": (\d+)/);
  const heads = [];
  const breaking = await startBreaking(heads);
  const engine = await startSimulatedEngine(['--model', 'm']);
  const tracing = ['--otel-endpoint', `127.0.0.1:${port}`, '--otel-service-name', 'front'];
  const fleet = staticFleet([breaking, engine.url], 'm');
  const router = await startRouter([...fleet, '--routing-logic', 'roundrobin', ...tracing]);
  const ask = async (id) => {
    const answer = await fetch(router.url + PATH, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': id,
        traceparent: `00-${CALLER.trace}-${CALLER.span}-01`,
      },
      body: JSON.stringify({ model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hello' }] }),
    });
    await answer.text();
    return answer.status;
  };
  const figures = new Figures();
  // Whose turn it is is not known here; the breaking engine has one of the first two.
  const statuses = [await ask('show-1'), await ask('show-2')];
  figures.equal('requests answered with 200', statuses.filter((status) => status === 200).length, 2);
  const spans = () =>
    receiver.output
      .split('\n')
      .filter((line) => line.startsWith('{"trace"') && line.endsWith('}'))
      .map((line) => JSON.parse(line));
  await until('five spans have come', async () => spans().length === 5);

  const failed = spans().find(({ attributes }) => attributes['error.type'] !== undefined);
  const server = spans().find(({ id }) => id === failed?.parent);
  const clients = spans().filter(({ parent }) => parent === server?.id);
  clients.sort((a, b) => a.start - b.start);
  console.log(`\n  caller ${CALLER.span} of trace ${server.trace}`);
  console.log(
    `  └─ ${server.kind} ${server.name} ${server.id} ${ms(server, server.start)}\n       ${told(server)}`,
  );
  for (const span of clients)
    console.log(
      `     └─ ${span.kind} ${span.name} ${span.id} ${ms(span, server.start)}\n          ${told(span)}`,
    );
  console.log('');

  const [first, second] = clients.map(({ attributes }) => attributes);
  const equal = (name, value, wanted) => figures.equal(name, String(value), String(wanted));
  equal('server spans of the request', server.kind, 'SPAN_KIND_SERVER');
  equal('its trace', server.trace, CALLER.trace);
  equal('its parent, the caller', server.parent, CALLER.span);
  equal('its status, that of the answer', server.attributes['http.response.status_code'], 200);
  equal('its strategy', server.attributes['vllm.routing_logic'], 'roundrobin');
  equal('its model', server.attributes['gen_ai.request.model'], 'm');
  equal('tokens of the answer', server.attributes['gen_ai.usage.output_tokens'], 4);
  equal('its service', server.resource['service.name'], 'front');
  equal(
    'client spans below it',
    clients.map(({ kind }) => kind).join(' '),
    'SPAN_KIND_CLIENT SPAN_KIND_CLIENT',
  );
  equal('engine of the first', first['vllm.backend_url'], breaking);
  equal('what became of it', `${first['vllm_router.outcome']} ${first['error.type']}`, 'failed reset');
  equal('its status', clients[0].status, 'STATUS_CODE_ERROR');
  equal('engine of the second', second['vllm.backend_url'], engine.url);
  equal('what it is', `${second['vllm_router.attempt.kind']} ${second['vllm_router.outcome']}`, 'retry done');
  const given = heads.map((head) => /^traceparent: (.*)$/im.exec(head)?.[1]?.trim());
  equal('context that the first engine got', given.at(-1), `00-${CALLER.trace}-${clients[0].id}-01`);
  equal('text of the prompt in spans', receiver.output.includes('hello'), false);
  return figures;
}
