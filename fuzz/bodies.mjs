import fc from 'fast-check';
import { RouterError } from '../dist/core/errors.js';
import { readRequest } from '../dist/core/request-reader.js';
import { anyText, jsonWith, must } from './texts.mjs';

const json = jsonWith(['model', 'stream', 'user', 'messages', 'content'], 4).map((value) =>
  JSON.stringify(value),
);
const nested = fc
  .tuple(fc.constantFrom('[', '{"a":', '[[', '{"model":"m","x":['), fc.integer({ min: 0, max: 20_000 }))
  .map(([bit, times]) => bit.repeat(times));
const broken = fc
  .tuple(json, fc.nat(), anyText(4))
  .map(([text, at, bit]) => text.slice(0, at % (text.length + 1)) + bit + text.slice(at % (text.length + 1)));
const form = fc
  .array(
    fc.tuple(
      fc.constantFrom('model', 'stream', 'file', 'user', '"', '__proto__'),
      anyText(30),
      fc.constantFrom('\r\n', '\n', ''),
    ),
    { maxLength: 5 },
  )
  .map(
    (parts) =>
      `${parts.map(([name, text, end]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}${end}`).join('')}--b--`,
  );
const type = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data; boundary=b',
  'multipart/form-data; boundary="b',
  'multipart/form-data',
  'text/plain',
  undefined,
);
const content = fc.oneof(
  fc.oneof(json, broken, nested, form, anyText(60)).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
);

export function bodies() {
  const property = fc.property(
    content,
    type,
    anyText(20),
    fc.constantFrom(null, 'user', '__proto__'),
    (body, contentType, query, sessionKey) => {
      try {
        const read = readRequest(body, { contentType, query, sessionKey });
        must(read.model === null || typeof read.model === 'string', 'a model that is no text');
        must(read.session === null || read.session.length <= 1_024, 'a session without bound');
      } catch (error) {
        if (!(error instanceof RouterError)) throw error;
        must(error.status === 400, `refused with ${error.status}`);
      }
    },
  );
  return { property };
}
