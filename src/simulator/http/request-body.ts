import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SeenRequest } from './seen-request.js';
import type { JsonObject } from './simulated-text.js';

/** Bodies below this are kept as text in the log of requests. */
const LOGGED_BODY_BYTES = 64 * 1024;

/** Bodies above this are not parsed: a simulated engine is no place to hold hundreds of megabytes. */
const PARSED_BODY_BYTES = 4 * 1024 * 1024;

/** How much of each end of an unparsed body is searched for `model`, `stream` and `max_tokens`. */
const SEARCHED_BYTES = 64 * 1024;

export interface ReceivedBody {
  readonly length: number;
  /** The whole body, when it is at most `PARSED_BODY_BYTES` long or was asked for. */
  readonly bytes: Buffer | null;
  /** The ends of the body, when it is not kept whole. */
  readonly ends: string;
}

/** Reads a body, hashing it on the way. Null when the client leaves before its end. */
export async function readBody(
  request: IncomingMessage,
  seen: SeenRequest,
  keepAll: boolean,
): Promise<ReceivedBody | null> {
  const hash = createHash('sha256');
  const limit = keepAll ? Infinity : PARSED_BODY_BYTES;
  let kept: Buffer[] = [];
  let first = '';
  let tail = Buffer.alloc(0);
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      hash.update(part);
      length += part.length;
      kept.push(part);
      if (length > limit) {
        const all = Buffer.concat(kept);
        if (first === '') first = all.toString('latin1', 0, SEARCHED_BYTES);
        tail = Buffer.concat([tail, all.subarray(-SEARCHED_BYTES)]).subarray(-SEARCHED_BYTES);
        kept = [];
      }
    }
  } catch {
    return null;
  }
  if (!request.complete) return null;
  const bytes = length > limit ? null : Buffer.concat(kept, length);
  seen.sha256 = hash.digest('hex');
  seen.bodyLength = length;
  if (bytes !== null && length < LOGGED_BODY_BYTES) seen.body = bytes.toString();
  return { length, bytes, ends: bytes === null ? `${first}\n${tail.toString('latin1')}` : '' };
}

/** The few fields of an unparsed JSON body that the engine acts on, found by their names. */
export function searchFields(ends: string): JsonObject {
  const model = /"model"\s*:\s*"([^"\\]*)"/.exec(ends)?.[1];
  const maxTokens = /"max_(?:completion_)?tokens"\s*:\s*(\d{1,9})/.exec(ends)?.[1];
  return {
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { max_tokens: Number(maxTokens) }),
    stream: /"stream"\s*:\s*true/.test(ends),
    messages: [{ role: 'user', content: 'a large prompt' }],
    prompt: 'a large prompt',
    input: 'a large prompt',
  };
}

/** The value of a plain field of a `multipart/form-data` body; enough for `model` and the like. */
export function formField(body: ReceivedBody, name: string): string | undefined {
  const text = body.bytes?.toString('latin1') ?? body.ends;
  const part = new RegExp(
    `name="?${name}"?[^\\r\\n]*\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n([^\\r\\n]*)`,
    'i',
  ).exec(text);
  return part?.[1];
}
