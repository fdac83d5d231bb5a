interface Asked {
  id: string;
  api: string;
  stream: boolean;
  behaviour: string;
  choices: number;
  huge: boolean;
  usage: boolean;
  good: boolean;
  expected: { texts: string[]; count: number };
}

const { RequestMaker } = require('../../../chaos/requests.mjs') as {
  RequestMaker: new (wish: { seed: number; rate: number }) => { next(): Asked };
};
const { outcomeOf } = require('../../../chaos/outcome.mjs') as {
  outcomeOf(asked: Asked, came: object): { kind: string; detail: string };
};

const { STREAMED_ERROR } = require('../../../chaos/streamed-error.mjs') as { STREAMED_ERROR: string };

/** The first request of a seed that is as wanted. */
function request(wanted: Partial<Asked>): Asked {
  const maker = new RequestMaker({ seed: 1, rate: 10 });
  for (;;) {
    const asked = maker.next();
    const fits = Object.entries(wanted).every(([key, value]) => asked[key as keyof Asked] === value);
    if (fits && !asked.huge && asked.choices === 1) return asked;
  }
}

const came = (body: string, type: string, fields: object = {}) => ({
  status: 200,
  headers: new Map([['content-type', type]]),
  body: Buffer.from(body),
  complete: true,
  malformed: null,
  closed: null,
  left: false,
  timedOut: false,
  ...fields,
});

const frame = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'a', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

describe('what became of a stream', () => {
  const asked = request({ api: 'chat', stream: true, usage: false, behaviour: 'waits' });
  const text = asked.expected.texts[0]!;
  const role = frame({ role: 'assistant', content: '' });
  const done = 'data: [DONE]\n\n';
  const ended = frame({}, 'length') + done;
  const error = `data: {"error":{"message":"broke off (request ${asked.id})"}}\n\n`;
  const kind = (body: string, fields?: object): string =>
    outcomeOf(asked, came(body, 'text/event-stream', fields)).kind;

  it.each<[string, string, string]>([
    ['all of it', role + frame({ content: text }) + ended, 'whole'],
    ['all of it in pieces', role + [...text].map((content) => frame({ content })).join('') + ended, 'whole'],
    ['a part, and the error', role + frame({ content: text.slice(0, 3) }) + error, 'event'],
    ['a part, and [DONE]', role + frame({ content: text.slice(0, 3) }) + ended, 'false'],
    ['a part, the error, and [DONE]', role + frame({ content: text.slice(0, 3) }) + error + done, 'false'],
    ['a part, and nothing', role + frame({ content: text.slice(0, 3) }), 'cut'],
    ['all, but no [DONE]', role + frame({ content: text }) + frame({}, 'length'), 'false'],
    ['other words', role + frame({ content: 'another text' }) + ended, 'wrong'],
    ['all of it twice', role + frame({ content: text + text }) + ended, 'twice'],
    ['two beginnings', role + role + frame({ content: text }) + ended, 'twice'],
    ['two ids', role + frame({ content: text }).replace('"a"', '"b"') + ended, 'wrong'],
    ['a frame in half', role + frame({ content: text }).slice(0, -9), 'wrong'],
    ['that the engine gave up', role + frame({ content: text.slice(0, 3) }, 'abort') + done, 'aborted'],
  ])('(%s) is told', (_name, body, expected) => {
    expect(kind(body)).toBe(expected);
  });

  it('is told from how the connection ended', () => {
    const part = role + frame({ content: text.slice(0, 3) });
    expect(kind(part, { complete: false, closed: 'ECONNRESET' })).toBe('cut');
    expect(kind(part, { complete: false, timedOut: true })).toBe('hang');
    expect(kind(part, { complete: false, left: true })).toBe('left');
    expect(kind(part, { malformed: 'a chunk size of "zz"' })).toBe('wrong');
    expect(kind('', { status: null, complete: false, closed: 'fin' })).toBe('cut');
  });
});

describe('what became of a JSON answer', () => {
  const asked = request({ api: 'completions', stream: false, behaviour: 'waits' });
  const { texts, count } = asked.expected;
  const answer = (text: string, tokens = count, finish = 'length'): string =>
    JSON.stringify({
      choices: [{ text, finish_reason: finish }],
      usage: { completion_tokens: tokens },
    });
  const kind = (body: string, fields?: object): string =>
    outcomeOf(asked, came(body, 'application/json', fields)).kind;

  it('is told', () => {
    const text = texts[0]!;
    expect(kind(answer(text))).toBe('whole');
    expect(kind(answer(text.slice(1)))).toBe('wrong');
    expect(kind(answer(text.slice(0, -1)))).toBe('false');
    expect(kind(answer(text, count + 1))).toBe('wrong');
    expect(kind(answer('', 0, 'abort'))).toBe('aborted');
    expect(kind(answer(text).slice(0, -2))).toBe('false');
    expect(kind(answer(text).slice(0, -2), { complete: false, closed: 'fin' })).toBe('cut');
    expect(kind('{"error":{"message":"no","code":"engine_timeout"}}', { status: 504 })).toBe('error');
    expect(kind('no', { status: 502 })).toBe('wrong');
    expect(kind('', { status: 503 })).toBe('error');
    expect(kind('', { status: 404 })).toBe('wrong');
  });

  it('is an error where an engine streams one that nobody else could make good', () => {
    const streamed = (body: string): string => outcomeOf(asked, came(body, 'text/event-stream')).kind;
    expect(streamed(STREAMED_ERROR)).toBe('error');
    expect(streamed(frame({ content: texts[0]! }))).toBe('wrong');
  });
});
