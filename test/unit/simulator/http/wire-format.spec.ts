import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../../../src/simulator/http/simulated-engine.js';
import { PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { fetchAnswer, framesOf } from './engine-client.js';

const FIXTURES = join(__dirname, '../../../fixtures');

interface Recording {
  method: string;
  path: string;
  requestHeaders: Record<string, string>;
  requestBody: string;
  status: number;
  headers: [string, string][];
  body: string;
}

function readRecording(folder: string, file: string): Recording {
  const [request = '', answer = ''] = readFileSync(join(FIXTURES, folder, file), 'utf8')
    .slice('### request\n'.length)
    .split('\n### answer\n');
  const [requestHead = '', ...requestRest] = request.split('\n\n');
  const [requestLine = '', ...requestLines] = requestHead.trim().split('\n');
  const [method = '', path = ''] = requestLine.split(' ');
  const [head = '', ...rest] = answer.split('\n\n');
  const [statusLine = '', ...lines] = head.split('\n');
  const pair = (line: string): [string, string] => [
    line.split(': ', 1)[0] ?? '',
    line.replace(/^[^:]*: /, ''),
  ];
  return {
    method,
    path,
    requestHeaders: Object.fromEntries(requestLines.map(pair)),
    requestBody: requestRest.join('\n\n').trim(),
    status: Number(statusLine.split(' ')[1]),
    headers: lines.map(pair),
    body: rest.join('\n\n'),
  };
}

/** Values that differ from run to run or from model to model; all others must be equal. */
const FREE: readonly RegExp[] = [
  /^(id|item_id|created|created_at|system_fingerprint|text|content|delta|tokens|prompt)$/,
  /^(token|logprob|bytes)$/,
];

/** The text of a JSON value, its keys in order, with the free values replaced by their kind. */
function shapeOf(json: string): string {
  const value: unknown = JSON.parse(json, (key, inner: unknown) => {
    const isFree = FREE.some((free) => free.test(key));
    if (!isFree || inner === null) return inner;
    if (typeof inner === 'string')
      return inner === '' ? '' : key.endsWith('id') ? inner.replace(/[\da-f]{16}$/, '<hex>') : '<text>';
    if (typeof inner === 'number') return '<number>';
    return Array.isArray(inner) && inner.every((item) => typeof item === 'number')
      ? key === 'bytes'
        ? '<bytes>'
        : `<${inner.length} numbers>`
      : inner;
  });
  return JSON.stringify(value);
}

function frameShape(frame: string): string {
  return frame
    .split('\n')
    .map((line) => (line.startsWith('data: {') ? `data: ${shapeOf(line.slice(6))}` : line))
    .join('\n');
}

const PLAIN = 'vllm-0.32';
const FULL = 'vllm-0.32-full';

/** Asks what was asked in a recording and compares the answer with the recorded one. */
async function compare(engine: SimulatedEngine, recording: Recording): Promise<void> {
  const answer = await fetchAnswer(engine.url + recording.path, {
    method: recording.method,
    headers: recording.requestHeaders,
    ...(recording.requestBody === '' ? {} : { body: recording.requestBody }),
  });
  expect(answer.status).toBe(recording.status);
  const lines = answer.rawHeaders.flatMap((name, index, all) => (index % 2 ? [] : [[name, all[index + 1]]]));
  const masked = (pairs: (string | undefined)[][]): (string | undefined)[][] =>
    pairs.map(([name, value]) => {
      if (/^(date|content-length)$/.test(name ?? '')) return [name, '<value>'];
      return [name, name === 'x-request-id' ? value?.replace(/^[\da-f]{32}$/, '<hex>') : value];
    });
  expect(masked(lines)).toEqual(masked(recording.headers));

  if (recording.method === 'HEAD') return;
  const expected = recording.body;
  const isJson = recording.headers.some(([, value]) => value === 'application/json');
  if (expected.startsWith('data:') || expected.startsWith('event:')) {
    expect(framesOf(answer.body).map(frameShape)).toEqual(framesOf(expected.trimEnd()).map(frameShape));
  } else if (isJson) expect(shapeOf(answer.body.toString())).toBe(shapeOf(expected));
  else expect(answer.body.toString()).toBe(expected.trimEnd());
}

/** The answer of the simulated engine to a recorded request that names a stop string, with one of its own words. */
async function withOwnStop(engine: SimulatedEngine, recording: Recording): Promise<Recording> {
  const { stop: _stop, ...body } = JSON.parse(recording.requestBody) as Record<string, unknown>;
  const answer = await fetchAnswer(engine.url + recording.path, { body });
  const { choices } = JSON.parse(answer.body.toString()) as { choices: { message: { content: string } }[] };
  const word = choices[0]?.message.content.trim().split(' ')[1] ?? '';
  return {
    ...recording,
    requestBody: JSON.stringify({ ...body, stop: [word] }),
    body: recording.body.replace('"stop_reason":"w25"', `"stop_reason":"${word}"`),
  };
}

describe('the wire format of the simulated engine', () => {
  let engine: SimulatedEngine;
  beforeAll(async () => {
    engine = await startSimulatedEngine({
      models: [{ id: 'tiny', maxModelLen: 8192 }],
      runner: 'generate',
    });
  });
  afterAll(async () => engine.close());

  it.each(readdirSync(join(FIXTURES, PLAIN)).sort())('is the recorded one of vLLM 0.32: %s', async (file) => {
    const recording = readRecording(PLAIN, file);
    await compare(engine, file === 'chat-stop-eos.txt' ? await withOwnStop(engine, recording) : recording);
  });

  it('refuses a prompt longer than the model with the recorded message', async () => {
    const words = 'a '.repeat(9000);
    const body = { model: 'tiny', messages: [{ role: 'user', content: words }], stream: true };
    const answer = await fetchAnswer(`${engine.url}/v1/chat/completions`, { body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your prompt contains at least 8193 input " +
          'tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input ' +
          'prompt. (parameter=input_tokens, value=8193)',
        type: 'BadRequestError',
        param: 'input_tokens',
        code: 400,
      },
    });
  });
});

/** In the order in which they were asked, because each changes the engine for the next. */
const STEPS = [
  ...['chat-cached-tokens-1', 'chat-cached-tokens-2', 'chat-stream-cached-tokens', 'chat-request-id'],
  ...['lora-load', 'lora-load-again', 'lora-load-missing-field', 'lora-load-name-of-base'],
  ...['lora-load-no-such-path', 'lora-models', 'lora-chat', 'lora-unload', 'lora-unload-absent'],
  ...[
    'pause',
    'is_paused',
    'resume',
    'sleep',
    'is_sleeping',
    'health-asleep',
    'wake_up',
    'reset_prefix_cache',
  ],
];

describe('the wire format with everything switched on', () => {
  let engine: SimulatedEngine;
  beforeAll(async () => {
    engine = await startSimulatedEngine({
      models: [{ id: 'tiny', maxModelLen: 8192 }],
      profile: { ...PROFILES.instant, blockSize: 32 },
      lora: true,
      loraUpdating: true,
      devMode: true,
      promptTokensDetails: true,
      requestIdHeaders: true,
    });
  });
  afterAll(async () => engine.close());

  it('has all recordings in its list', () => {
    const recorded = readdirSync(join(FIXTURES, FULL)).map((file) => file.replace(/\.txt$/, ''));
    expect([...STEPS].sort()).toEqual(recorded.sort());
  });

  it.each(STEPS)('is the recorded one of vLLM 0.32: %s', async (step) => {
    await compare(engine, readRecording(FULL, `${step}.txt`));
  });
});
