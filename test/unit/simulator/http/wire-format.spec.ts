import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../../../src/simulator/http/simulated-engine.js';
import { fetchAnswer, framesOf } from './engine-client.js';

const FIXTURES = join(__dirname, '../../../fixtures/vllm-0.32');

interface Recording {
  method: string;
  path: string;
  requestHeaders: Record<string, string>;
  requestBody: string;
  status: number;
  headers: [string, string][];
  body: string;
}

function readRecording(file: string): Recording {
  const [request = '', answer = ''] = readFileSync(join(FIXTURES, file), 'utf8')
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
      ? `<${inner.length} numbers>`
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

const RECORDINGS = readdirSync(FIXTURES)
  .filter((file) => file !== 'metrics.txt')
  .sort();

describe('the wire format of the simulated engine', () => {
  let engine: SimulatedEngine;
  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: [{ id: 'tiny', maxModelLen: 8192 }] });
  });
  afterEach(() => {
    engine.models = [{ id: 'tiny', maxModelLen: 8192 }];
  });
  afterAll(async () => engine.close());

  it.each(RECORDINGS)('is the recorded one of vLLM 0.32: %s', async (file) => {
    const recording = readRecording(file);
    if (file.startsWith('lora')) engine.models = [...engine.models, { id: 'lora1', parent: 'tiny' }];
    const answer = await fetchAnswer(engine.url + recording.path, {
      method: recording.method,
      headers: recording.requestHeaders,
      ...(recording.requestBody === '' ? {} : { body: recording.requestBody }),
    });

    expect(answer.status).toBe(recording.status);
    const lines = answer.rawHeaders.flatMap((name, index, all) =>
      index % 2 ? [] : [[name, all[index + 1]]],
    );
    const volatile = /^(date|content-length)$/;
    const masked = (pairs: (string | undefined)[][]): (string | undefined)[][] =>
      pairs
        .filter(([name]) => name !== 'x-request-id')
        .map(([name, value]) => (volatile.test(name ?? '') ? [name, '<value>'] : [name, value]));
    expect(masked(lines)).toEqual(masked(recording.headers));

    if (recording.method === 'HEAD') return;
    const expected = recording.body;
    if (expected.startsWith('data:') || expected.startsWith('event:')) {
      expect(framesOf(answer.body).map(frameShape)).toEqual(framesOf(expected.trimEnd()).map(frameShape));
    } else if (expected.trim() === '') {
      expect(answer.body).toHaveLength(0);
    } else {
      expect(shapeOf(answer.body.toString())).toBe(shapeOf(expected));
    }
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
