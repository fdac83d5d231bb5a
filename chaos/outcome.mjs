// What became of a request: what came back, held against the only whole answer there is to it.
import { STREAMED_ERROR } from './streamed-error.mjs';

/**
 * `whole`        everything that was asked for, right, properly ended
 * `error`        an error before the first byte of an answer, well-formed
 * `event`        a stream that begins right and ends in an error event, properly framed
 * `aborted`      an engine that went to sleep ended the answer: `finish_reason` tells so
 * `cut`          the connection ended before the answer did, with nothing said
 * `false`        it looks complete, and bytes are missing
 * `wrong`        bytes that the engine did not send, or that are no HTTP
 * `twice`        text that had come already came again
 * `hang`         no end within the bound
 * `left`         the client was gone before the end, and what it had was right
 */
export const OUTCOMES = [
  'whole',
  'error',
  'event',
  'aborted',
  'cut',
  'false',
  'wrong',
  'twice',
  'hang',
  'left',
];

const of = (kind, detail = '') => ({ kind, detail });

/** @returns {{ kind: string, detail: string }} */
export function outcomeOf(asked, came) {
  if (came.malformed !== null) return of('wrong', came.malformed);
  if (came.status === null) return none(came);
  const text = came.body.toString('utf8');
  if (came.status !== 200) {
    if (!came.complete) return unfinished(came, `status ${came.status}`);
    return errorOf(came.status, text, asked);
  }
  const type = came.headers.get('content-type') ?? '';
  const isStream = type.startsWith('text/event-stream');
  // The hostile engine streams an error to those who asked for no stream; it goes on as it came when no other is left.
  if (isStream && !asked.stream && came.complete && text === STREAMED_ERROR)
    return of('error', 'an error in a stream');
  if (asked.stream !== isStream) return of('wrong', `content-type ${type}`);
  return isStream ? streamOf(asked, came, text) : wholeOf(asked, came, text);
}

const none = (came) => {
  if (came.left) return of('left');
  return came.timedOut ? of('hang', 'no answer') : of('cut', `no answer: ${came.closed}`);
};
const unfinished = (came, detail) => {
  if (came.left) return of('left');
  return came.timedOut ? of('hang', detail) : of('cut', `${detail}: ${came.closed}`);
};

function errorOf(status, text) {
  // The hostile engine sends some; an error without a body is what its engine says.
  if (text === '' && status >= 500) return of('error', `${status} without a body`);
  try {
    const body = JSON.parse(text);
    const message = body?.error?.message ?? body?.message;
    if (typeof message === 'string' && message !== '') {
      return {
        kind: 'error',
        detail: `${status} ${body.error?.code ?? ''} ${message}`.slice(0, 300),
        status,
        code: body.error?.code,
      };
    }
  } catch {
    // Told below.
  }
  return of('wrong', `an error without a message: ${status} ${text.slice(0, 100)}`);
}

const GAVE_UP = new Set(['abort', 'end_turn', 'completed']);

/** Texts, end and count of a JSON answer, API by API. */
const WHOLE = {
  chat: (it) => ({
    texts: it.choices.map(({ message }) => message.content),
    ends: it.choices.map((one) => one.finish_reason),
    count: it.usage.completion_tokens,
  }),
  completions: (it) => ({
    texts: it.choices.map((one) => one.text),
    ends: it.choices.map((one) => one.finish_reason),
    count: it.usage.completion_tokens,
  }),
  messages: (it) => ({
    texts: it.content.map((one) => one.text),
    ends: [it.stop_reason],
    count: it.usage.output_tokens,
  }),
  responses: (it) => ({
    texts: it.output.flatMap((one) => one.content.map((part) => part.text)),
    ends: [it.status],
    count: it.usage.output_tokens,
  }),
  tokenize: (it) => ({ texts: [], ends: [], count: it.count }),
};

function wholeOf(asked, came, text) {
  if (!came.complete) return unfinished(came, `${came.body.length} bytes of an answer`);
  let it;
  try {
    it = WHOLE[asked.api](JSON.parse(text));
  } catch (error) {
    return of('false', `${error.message}: ${text.slice(0, 60)} … ${text.slice(-60)}`);
  }
  const { texts, count } = asked.expected;
  // All requests end at their limit: an engine that ended one before that has given it up.
  if (it.ends.some((end) => GAVE_UP.has(end))) return of('aborted');
  const verdict = compare(it.texts, texts, true);
  if (verdict !== null) return verdict;
  return it.count === count ? of('whole') : of('wrong', `${it.count} tokens counted of ${count}`);
}

/** Null when the texts are the expected ones, or, unless `entire`, begin like them. */
function compare(texts, expected, entire) {
  for (let index = 0; index < Math.max(texts.length, expected.length); index += 1) {
    const got = texts[index] ?? '';
    const wanted = expected[index] ?? '';
    if (got === wanted || (!entire && wanted.startsWith(got))) continue;
    if (wanted.startsWith(got)) return of('false', `${got.length} of ${wanted.length} characters`);
    if (got.startsWith(wanted)) return of('twice', `${got.length} characters instead of ${wanted.length}`);
    let same = 0;
    while (got[same] === wanted[same]) same += 1;
    const again = same > 8 && wanted.startsWith(got.slice(same, same + 24));
    return of(
      again ? 'twice' : 'wrong',
      `after ${same} characters: ${JSON.stringify(got.slice(same, same + 60))}`,
    );
  }
  return null;
}

function streamOf(asked, came, text) {
  const seen = {
    texts: asked.expected.texts.map(() => ''),
    ends: 0,
    roles: 0,
    done: false,
    error: null,
    aborted: false,
    count: null,
    after: 0,
    ids: new Set(),
  };
  const frames = text.replaceAll('\r\n', '\n').split('\n\n');
  const rest = frames.pop();
  for (const frame of frames) {
    const lines = frame.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    const data = lines
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n');
    if (data === '') continue;
    if (seen.done || seen.error !== null) seen.after += 1;
    if (data === '[DONE]') {
      seen.done = true;
      continue;
    }
    let value;
    try {
      value = JSON.parse(data);
    } catch {
      // A broken off frame is followed by the error event, on a line of its own.
      seen.broken = data;
      continue;
    }
    take(asked.api, value, seen);
  }
  const verdict = compare(seen.texts, asked.expected.texts, false);
  if (verdict !== null) return verdict;
  if (seen.roles > asked.choices) return of('twice', `${seen.roles} beginnings`);
  if (seen.ids.size > 1) return of('wrong', `${seen.ids.size} ids`);
  if (!came.complete) return unfinished(came, `${seen.texts[0].length} characters of a stream`);
  if (rest !== '') return of('wrong', `ends in the middle of a frame: ${JSON.stringify(rest.slice(0, 60))}`);
  if (seen.error !== null) {
    // vLLM ends its own error with [DONE]; the router's is the last word.
    const own = seen.error.includes(`(request ${asked.id})`);
    if (seen.after > (own ? 0 : 1)) return of('false', 'goes on after its error');
    return of('event', seen.error);
  }
  if (seen.broken !== undefined) return of('wrong', `a frame of ${JSON.stringify(seen.broken.slice(0, 80))}`);
  if (seen.aborted) return of('aborted', `${seen.texts[0].length} characters`);
  if (!seen.done && seen.ends < asked.choices) return of('cut', 'a stream without its end');
  const missing = compare(seen.texts, asked.expected.texts, true);
  if (missing !== null) return missing;
  if (!seen.done || seen.ends < asked.choices) return of('false', `done ${seen.done}, ${seen.ends} ends`);
  if (seen.after > 0) return of('wrong', 'goes on after its end');
  const { count } = asked.expected;
  if (asked.usage && seen.count !== null && seen.count !== count)
    return of('wrong', `usage of ${seen.count}`);
  return of('whole');
}

/** One event of a stream. */
function take(api, value, seen) {
  const add = (index, text) => {
    if (typeof text === 'string') seen.texts[index] = (seen.texts[index] ?? '') + text;
  };
  if (value.error !== undefined && value.error !== null) {
    seen.error = String(value.error.message ?? value.error);
  } else if (value.type === 'error') seen.error = String(value.message);
  else if (api === 'chat' || api === 'completions') {
    if (value.id !== undefined) seen.ids.add(value.id);
    for (const { index, delta, text, finish_reason: end } of value.choices ?? []) {
      if (delta?.role !== undefined) seen.roles += 1;
      add(index, delta === undefined ? text : delta.content);
      if (end === 'abort') seen.aborted = true;
      if (end !== null && end !== undefined) seen.ends += 1;
    }
    if (value.usage) seen.count = value.usage.completion_tokens;
  } else if (api === 'messages') {
    if (value.type === 'message_start') seen.roles += 1;
    if (value.type === 'content_block_delta') add(0, value.delta.text);
    if (value.type === 'message_delta') {
      seen.ends += 1;
      seen.count = value.usage.output_tokens;
      if (value.delta.stop_reason === 'end_turn') seen.aborted = true;
    }
    if (value.type === 'message_stop') seen.done = true;
  } else {
    if (value.type === 'response.created') seen.roles += 1;
    if (value.type === 'response.output_text.delta') add(0, value.delta);
    if (value.type === 'response.completed') {
      seen.ends += 1;
      seen.done = true;
      seen.count = value.response.usage.output_tokens;
      if (value.response.status === 'completed') seen.aborted = true;
    }
  }
}
