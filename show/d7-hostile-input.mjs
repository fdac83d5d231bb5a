// D7: the corpora of hostile input against the real router: request smuggling, slow clients, malformed and costly bodies,
// engine routes in disguise. Each must be refused or read in one way alone, in bounded time, and its connection closed;
// an engine that keeps every byte must get nothing else. On each way in (the short way, Fastify), with both clients to
// engines, with TLS and with keys.
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  disguisedPaths,
  hostileBodies,
  refusedRequests,
  smuggledBehind,
  understoodRequests,
} from '../test/support/hostile-requests.mjs';
import { RecordingEngine, sendBytes } from '../test/support/recording-engine.mjs';
import { Figures, percentile } from './figures.mjs';
import { ROOT, Running, until } from './processes.mjs';

const PATHS = ['/v1/completions', '/v1/completions?a=b', '/v1/unknown'];
/** Seconds that a head and a body may take; what is refused at once must not need them. */
const [HEAD_SECONDS, BODY_SECONDS] = [2, 1];
/** Those of which nobody can know that they never end. */
const WAITS = /^a chunk size of (64 bits|2 GiB)/;
const AT_ONCE_MS = 1_000;
/** The clock, one look at it later, and the time that a client has to read the answer. */
const BY_CLOCK_MS = (HEAD_SECONDS + BODY_SECONDS + 3) * 1_000;
/** Who goes on sending behind the refusal is read, and what comes dropped, for ten seconds: else the answer is lost. */
const CLOSED_MS = BY_CLOCK_MS + 10_000;
const REFUSAL = /^HTTP\/1\.1 (400|401|404|408|413|431) [\s\S]*"error":\{/;

const tls = (name) => join(ROOT, 'test/fixtures/tls', name);
const ROUTERS = [
  ['client http1', ['--upstream-client', 'http1']],
  ['client undici', ['--upstream-client', 'undici']],
  ['TLS', ['--ssl-certfile', tls('server.pem'), '--ssl-keyfile', tls('server-key.pem')]],
  ['keys', ['--api-key', 'k']],
];

async function startRouter(engine, flags) {
  const fixed = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0', '--service-discovery', 'static'];
  const fleet = ['--static-backends', engine.url, '--static-models', 'm', '--routing-logic', 'prefixaware'];
  const limits = ['--client-header-timeout', `${HEAD_SECONDS}`, '--client-body-timeout', `${BODY_SECONDS}`];
  const argv = [join(ROOT, 'dist', 'main.js'), ...fixed, ...fleet, ...limits, ...flags];
  const router = new Running(process.execPath, argv);
  const [, admin] = await router.says(/admin routes on ([\d.]+:\d+)/);
  const [, main] = await router.says(/listening on ([\d.]+:\d+)/);
  router.admin = `http://${admin}`;
  router.url = `${flags.includes('--ssl-certfile') ? 'https' : 'http'}://${main}`;
  await until('the router is ready', async () => (await fetch(`${router.admin}/ready`)).ok);
  return router;
}

/** Sends bit after bit until the router closes the connection. */
async function drip(url, head, each) {
  const { hostname: host, port, protocol } = new URL(url);
  const at = { host, port: Number(port), rejectUnauthorized: false };
  const socket = protocol === 'https:' ? connectTls(at) : connect({ ...at, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, protocol === 'https:' ? 'secureConnect' : 'connect');
  const begun = performance.now();
  let [answer, answered] = ['', Number.POSITIVE_INFINITY];
  socket.on('data', (part) => {
    answered = Math.min(answered, performance.now() - begun);
    answer += part.toString('latin1');
  });
  socket.write(head);
  const timer = setInterval(() => socket.write(each), 100);
  const late = setTimeout(() => socket.destroy(), CLOSED_MS);
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  const ms = performance.now() - begun;
  clearInterval(timer);
  clearTimeout(late);
  socket.destroy();
  return { answer, closed: ms < CLOSED_MS, ms, answered };
}

const POST = 'POST /v1/completions HTTP/1.1\r\nhost: r\r\n';
const SLOW = [
  ['nothing at all', '', ''],
  ['a byte, and no more', 'P', ''],
  ['a head, a field at a time', 'GET /v1/models HTTP/1.1\r\n', 'x: y\r\n'],
  ['a body, a byte at a time', `${POST}content-length: 100000\r\n\r\n`, 'x'],
  ['chunks of a byte', `${POST}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
  ['a chunk extension without end', `${POST}transfer-encoding: chunked\r\n\r\n1;`, 'x'],
];

const row = (figures, name, count, took, wrong, limitMs) => {
  const times = `${count} sent, p50 ${percentile(took, 0.5).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms`;
  const held = wrong.length === 0 && Math.max(...took) < limitMs;
  figures.check(
    name,
    held ? times : `${times}; ${wrong.slice(0, 3).join('; ')}`,
    `all, < ${limitMs} ms`,
    held,
  );
};

async function smuggling(figures, name, router, engine, keys) {
  for (const path of PATHS) {
    for (const waits of path === PATHS[0] ? [false, true] : [false]) {
      const [wrong, took] = [[], []];
      const all = refusedRequests(path).filter(([what]) => WAITS.test(what) === waits);
      for (const [what, bytes] of all) {
        const { answer, closed, ms } = await sendBytes(router.url, bytes + smuggledBehind(what), 20_000);
        took.push(ms);
        if (!closed || !REFUSAL.test(answer) || answer.match(/HTTP\/1\.1 \d/g).length !== 1) wrong.push(what);
      }
      const kind = waits ? 'endless chunks' : 'smuggling and malformed heads';
      row(figures, `${name}, ${path}: ${kind}`, all.length, took, wrong, waits ? BY_CLOCK_MS : AT_ONCE_MS);
    }
    figures.equal(`${name}, ${path}: requests at the engine`, engine.requests.length, 0);
    figures.equal(`${name}, ${path}: other bytes at the engine`, engine.stray.length, 0);
    if (keys) continue;
    const [wrong, took] = [[], []];
    const odd = understoodRequests(path);
    for (const [what, bytes, bodies] of odd) {
      engine.forget();
      const { closed, ms } = await sendBytes(router.url, bytes, 20_000);
      took.push(ms);
      const got = engine.requests.map(({ body }) => body);
      if (!closed || engine.stray !== '' || got.join('\0') !== bodies.join('\0')) wrong.push(what);
    }
    engine.forget();
    row(figures, `${name}, ${path}: odd, read in one way`, odd.length, took, wrong, AT_ONCE_MS);
  }
}

async function slow(figures, name, router, engine) {
  const [wrong, waited] = [[], []];
  const took = await Promise.all(
    SLOW.map(async ([what, head, each]) => {
      const { answer, closed, ms, answered } = await drip(router.url, head, each);
      waited.push(answered);
      if (!closed || !/^HTTP\/1\.1 (401|408) /.test(answer)) wrong.push(what);
      return ms;
    }),
  );
  row(figures, `${name}: slow heads and bodies, answered`, SLOW.length, waited, wrong, BY_CLOCK_MS);
  row(figures, `${name}: slow heads and bodies, closed`, SLOW.length, took, wrong, CLOSED_MS);
  figures.equal(`${name}: requests of slow clients at the engine`, engine.requests.length, 0);
}

async function costlyJson(figures, name, router, engine) {
  const [wrong, took, health] = [[], [], []];
  const all = hostileBodies();
  let going = true;
  const probing = (async () => {
    while (going) {
      const begun = performance.now();
      await (await fetch(`${router.admin}/health`)).text();
      health.push(performance.now() - begun);
      await sleep(20);
    }
  })();
  for (const [what, body, status] of all) {
    const bytes = `${POST}connection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const { answer, closed, ms } = await sendBytes(router.url, bytes, 20_000);
    took.push(ms);
    if (!closed || !answer.startsWith(`HTTP/1.1 ${status} `)) wrong.push(`${what}: ${answer.slice(0, 20)}`);
  }
  going = false;
  await probing;
  engine.forget();
  row(figures, `${name}: costly and malformed JSON`, all.length, took, wrong, 2_000);
  figures.note(`${name}: /health meanwhile`, `slowest ${Math.max(...health).toFixed(0)} ms`);
}

async function paths(figures, name, router, engine) {
  const [wrong, took] = [[], []];
  const all = disguisedPaths();
  const body = '{"model":"m"}';
  for (const path of all) {
    const bytes = `POST ${path} HTTP/1.1\r\nhost: r\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const { answer, closed, ms } = await sendBytes(router.url, bytes, 20_000);
    took.push(ms);
    if (!closed || !/^HTTP\/1\.1 40[04] /.test(answer)) wrong.push(path);
  }
  row(figures, `${name}: engine routes in disguise`, all.length, took, wrong, AT_ONCE_MS);
  figures.equal(`${name}: of these at the engine`, engine.requests.length, 0);
}

export async function show() {
  const figures = new Figures();
  for (const [name, flags] of ROUTERS) {
    const engine = await RecordingEngine.start();
    const router = await startRouter(engine, flags);
    const keys = name === 'keys';
    await smuggling(figures, name, router, engine, keys);
    await slow(figures, name, router, engine);
    if (!keys) {
      await costlyJson(figures, name, router, engine);
      await paths(figures, name, router, engine);
    }
    figures.equal(`${name}: the router lives`, router.ended, null);
    await router.stop();
    await engine.stop();
  }
  return figures;
}
