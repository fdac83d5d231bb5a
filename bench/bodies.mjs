// The requests that the benchmark sends: chat requests of an exact size, with quotes, escapes and text beyond ASCII.

const SENTENCE =
  'Tell me, "briefly", why the caf\u00e9\u2019s na\u00efve plan\nfailed: 3 < 4, C:\\new, \u65e5\u672c\u8a9e. ';

const bytes = (request) => Buffer.from(JSON.stringify(request));

/** A chat request for model `m` of exactly `size` bytes; `parameters` are further fields. At least 400 bytes. */
export function chatBody(size, parameters = {}) {
  const user = { role: 'user', content: '' };
  const request = {
    model: 'm',
    messages: [{ role: 'system', content: 'You are a helpful assistant.' }, user],
    temperature: 0.7,
    top_p: 0.95,
    max_tokens: 64,
    stream: false,
    ...parameters,
  };
  const sentence = bytes(SENTENCE).length - 2;
  user.content = SENTENCE.repeat(Math.max(0, Math.floor((size - bytes(request).length) / sentence)));
  user.content += 'x'.repeat(size - bytes(request).length);
  return bytes(request);
}

/** A stream of `chunks` chunks, `gapMs` apart. */
export const streamBody = (size, chunks, gapMs) =>
  chatBody(size, { stream: true, max_tokens: chunks, seed: gapMs });
