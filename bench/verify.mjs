// Proves before anything is measured what each row does with bytes, streams, errors and clients that leave.
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareJson, compareStream, withoutTimes } from './comparison.mjs';

const CALL_MS = 20_000;
const QUIET_MS = 6_000;

/** The checks, in the order of the columns. */
export const CHECKS = [
  'answer',
  'request',
  'headers lost',
  'stream',
  'burst',
  'fragments',
  'flow',
  'client leaves',
  'errors',
  'broken stream',
  'spread',
];

const HEADERS = {
  authorization: 'Bearer sk-bench',
  'x-request-id': 'bench-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'x-session-id': 'session-1',
  'x-custom': 'kept',
};

/** Valid JSON that a program which parses and writes it again will not write the same way. */
const ODD_REQUEST =
  '{ "model":"m",\t"messages":[{"role":"user","content":"caf\\u00e9 \u00e9 \\ud83d\\ude00 a\\/b"}], "temperature":0.70,' +
  '"min_p":1e-2,"top_k":20,"repetition_penalty":1.050,"chat_template_kwargs":{"enable_thinking":false},' +
  '"vllm_xargs":{"k":"v"},"priority":-3,"cache_salt":"s","unknown_field":{"b":1,"a":[1.0]},"seed":7000,"max_tokens":5}';

/** One request; `onData` sees each piece and may return false to leave. */
function call(url, { body, path = '/v1/chat/completions', onData } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { ...HEADERS, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const options = { method: body === undefined ? 'GET' : 'POST', headers, agent: false, timeout: CALL_MS };
    const request = httpRequest(`${url}${path}`, options, (response) => {
      const pieces = [];
      const over = (ending) => {
        const { statusCode: status, headers: got } = response;
        resolve({ status, headers: got, text: Buffer.concat(pieces).toString(), ending });
      };
      response.on('data', (piece) => {
        pieces.push(piece);
        if (onData?.(piece) === false) request.destroy();
      });
      response.once('end', () => over('complete'));
      response.once('error', () => over('cut'));
      response.once('close', () => over('cut'));
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', reject);
    if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body));
    request.end(body);
  });
}

const chat = (more) =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], stream: false, ...more });
const stream = (more) => chat({ stream: true, ...more });

/** Checks one row at `url` against the engine itself at `engine`. */
class Verification {
  constructor(url, engine) {
    this.url = url;
    this.engine = engine;
  }

  async stats() {
    return JSON.parse((await call(this.engine, { path: '/stats' })).text);
  }

  async quiet() {
    const end = performance.now() + QUIET_MS;
    while ((await this.stats()).open > 0 && performance.now() < end) await sleep(20);
  }

  async both(body) {
    const [got, sent] = [await call(this.url, { body }), await call(this.engine, { body })];
    return [got, sent, withoutTimes(got.text), withoutTimes(sent.text)];
  }

  async answer() {
    const [, , got, sent] = await this.both(chat());
    return compareJson(got, sent);
  }

  async arrived() {
    const { status } = await call(this.url, { body: ODD_REQUEST });
    const { text } = await call(this.engine, { path: '/kept' });
    const end = text.indexOf('\r\n\r\n');
    const lines = text.slice(0, end).toLowerCase().split('\r\n');
    const lost = Object.entries(HEADERS).filter(
      ([name, value]) => !lines.includes(`${name}: ${value.toLowerCase()}`),
    );
    const request = status === 200 ? compareJson(text.slice(end + 4), ODD_REQUEST) : `refused with ${status}`;
    return { request, 'headers lost': lost.map(([name]) => name).join(', ') || 'none' };
  }

  async streamed(body) {
    const [{ ending }, , got, sent] = await this.both(body);
    return compareStream(got, sent) + (ending === 'complete' ? '' : ', cut');
  }

  /** Whether chunks arrive when they are sent: six of them, 100 ms apart. */
  async flow() {
    const at = [];
    await call(this.url, {
      body: stream({ max_tokens: 6, seed: 100 }),
      onData: () => void at.push(performance.now()),
    });
    const spread = at.at(-1) - at[0];
    return at.length >= 6 && spread > 350
      ? 'at once'
      : `held back: ${at.length} pieces in ${Math.round(spread)} ms`;
  }

  async leaves() {
    await this.quiet();
    const { left } = await this.stats();
    let pieces = 0;
    const body = stream({ max_tokens: 400, seed: 20 });
    await call(this.url, { body, onData: () => ++pieces < 3 }).catch(() => undefined);
    const began = performance.now();
    while ((await this.stats()).left === left) {
      if (performance.now() - began > QUIET_MS) return 'the engine goes on';
      await sleep(10);
    }
    return `the engine stops after ${((performance.now() - began) / 1000).toFixed(1)} s`;
  }

  async errors() {
    const found = [];
    for (const status of [400, 429, 503]) {
      const { requests } = await this.stats();
      const body = chat({ seed: 7000 + status });
      const got = await call(this.url, { body });
      const tries = (await this.stats()).requests - requests;
      const sent = await call(this.engine, { body });
      const wrong = [
        ...(got.status === status ? [] : [`becomes ${got.status}`]),
        ...(got.text === sent.text ? [] : ['body changed']),
        ...(got.headers['retry-after'] === sent.headers['retry-after'] ? [] : ['retry-after lost']),
        ...(tries > 1 ? [`${tries} tries`] : []),
      ];
      if (wrong.length > 0) found.push(`${status} ${wrong.join(', ')}`);
    }
    return found.join('; ') || 'as sent';
  }

  async broken() {
    const { text, ending } = await call(this.url, { body: stream({ seed: 7002 }) });
    if (ending === 'cut') return 'connection cut';
    return text.includes('"error"') ? 'told in the stream' : 'LOOKS COMPLETE';
  }

  async spread() {
    const before = await this.stats();
    let failed = 0;
    for (let i = 0; i < 40; i++) failed += (await call(this.url, { body: chat() })).status === 200 ? 0 : 1;
    const after = await this.stats();
    const each = after.perPort.map((count, i) => count - before.perPort[i]);
    const extra = after.otherPosts - before.otherPosts;
    return `${each.join(' ')}${failed > 0 ? `, ${failed} failed` : ''}${extra > 0 ? `, ${extra} requests of its own` : ''}`;
  }
}

/** What each check says of the row at `url`; a check that throws says so. */
export async function verify(url, engine) {
  const one = new Verification(url, engine);
  const results = {};
  const check = async (name, run) => {
    try {
      results[name] = await run();
    } catch (error) {
      results[name] = `failed: ${error.message}`;
    }
  };
  await check('answer', () => one.answer());
  await check('request', async () => {
    const { request, 'headers lost': lost } = await one.arrived();
    results['headers lost'] = lost;
    return request;
  });
  await check('stream', () => one.streamed(stream({ max_tokens: 8, seed: 5 })));
  await check('burst', () => one.streamed(stream({ max_tokens: 300, seed: 0 })));
  await check('fragments', () => one.streamed(stream({ seed: 7001 })));
  await check('flow', () => one.flow());
  await check('client leaves', () => one.leaves());
  await check('spread', () => one.spread());
  await check('errors', () => one.errors());
  await check('broken stream', () => one.broken());
  await one.quiet();
  return results;
}
