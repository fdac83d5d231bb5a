import { createServer } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { AnswerReader } from '../chaos/answer-reader.mjs';
import { startRouter, staticFleet } from '../show/processes.mjs';
import { metrics, sumOf } from '../show/router-state.mjs';
import { MODEL, sent } from './http-input.mjs';
import { must } from './texts.mjs';

/** An answer or an end comes within this, milliseconds: the router's limit on slow bodies below, and a busy machine. */
const BOUND_MS = 20_000;
const PATIENCE_MS = 50;

/** Sends these bytes, and a FIN at once or when an answer has come or did not for `PATIENCE_MS`; resolves with the answers' statuses once the router has closed. */
async function talk(port, text, pieces, waits) {
  return new Promise((resolve, reject) => {
    const statuses = [];
    let bodyOf = 0;
    // The answer to HEAD has a length and no body, and that to CONNECT or an upgrade is no HTTP any more.
    const readable = !/HEAD|CONNECT|upgrade/i.test(text);
    const reader = new AnswerReader({
      head: (status) => statuses.push(status),
      body: (bytes) => (bodyOf += bytes.length),
      end: () => ended(),
    });
    let ended = () => undefined;
    const end = () => socket.end();
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end within ${BOUND_MS} ms, after statuses ${statuses.join()}`));
    }, BOUND_MS);
    const over = (error) => {
      clearTimeout(limit);
      socket.destroy();
      if (error) reject(error);
      else resolve({ statuses, bodyOf });
    };
    socket.on('data', (bytes) => {
      try {
        if (readable) reader.push(bytes);
      } catch (error) {
        over(error);
      }
    });
    socket.on('error', () => over());
    socket.on('end', () =>
      over(readable && !reader.close() && !reader.idle ? new Error('an answer is cut') : undefined),
    );
    const bytes = Buffer.from(text, 'latin1');
    const half = Math.floor(bytes.length / 2);
    if (pieces) socket.write(bytes.subarray(0, half));
    setImmediate(() => {
      socket.write(pieces ? bytes.subarray(half) : bytes);
      if (!waits) return void end();
      const patience = setTimeout(end, PATIENCE_MS);
      ended = () => {
        clearTimeout(patience);
        setImmediate(end);
      };
      return undefined;
    });
  });
}

/** An engine that hears by Node's own parser; what that refuses, the router must not have sent. */
async function startEngine() {
  // By the number of the try that they bear: a request may come when its client is long gone.
  const seen = { requests: 0, wrong: null, byTry: new Map() };
  const server = createServer((asked, answer) => {
    const isProbe = asked.method === 'GET' && /^\/(v1\/models|health|metrics)$/.test(asked.url);
    if (!isProbe) {
      const number = asked.headers['x-try'];
      seen.requests += 1;
      seen.byTry.set(number, (seen.byTry.get(number) ?? 0) + 1);
    }
    asked.resume().on('end', () => {
      const body = JSON.stringify({ object: 'x', data: [], choices: [{ text: 'y' }] });
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    });
  });
  server.on('clientError', (error, socket) => {
    if (error.code !== 'ECONNRESET')
      seen.wrong ??= `${error.code} ${error.rawPacket?.toString('latin1').slice(0, 300)}`;
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { seen, server, url: `http://127.0.0.1:${server.address().port}` };
}

export async function http() {
  const engine = await startEngine();
  const flags = [
    '--routing-logic',
    'roundrobin',
    '--client-header-timeout',
    '5',
    '--client-body-timeout',
    '5',
  ];
  const router = await startRouter([...staticFleet([engine.url], MODEL), ...flags]);
  const port = Number(new URL(router.url).port);
  let tries = 0;
  const property = fc.asyncProperty(sent, fc.boolean(), fc.boolean(), async (text, pieces, waits) => {
    const number = String(tries++);
    await talk(port, text.replaceAll('host: r', `host: r\r\nx-try: ${number}`), pieces, waits);
    must(router.ended === null, `the router has ended: ${router.ended} ${router.output.slice(-2_000)}`);
    must(engine.seen.wrong === null, `the engine got ${engine.seen.wrong}`);
    // One request needs a line that says so.
    const most = text.split(/HTTP\/1\.[01]/).length - 1;
    const count = engine.seen.byTry.get(number) ?? 0;
    must(count <= most, `${count} requests at the engine of ${most}`);
    engine.seen.byTry.clear();
    must(
      !/unhandled|uncaught|internal_error|(Type|Range|Reference)Error/i.test(router.output),
      router.output.slice(-2_000),
    );
  });
  const stop = async () => {
    const counted = sumOf(await metrics(router), 'vllm_router_requests_total');
    console.log(
      `           ${engine.seen.requests} requests at the engine, ${counted} by the router's count`,
    );
    await router.stop();
    engine.server.closeAllConnections();
    engine.server.close();
  };
  return { property, stop };
}
