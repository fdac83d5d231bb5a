import { isRetryableStatus, judgeAnswer, judgeFrame, type Verdict } from '../core/commit.js';
import { headerValue, type RawHeaders } from '../core/headers.js';
import type { ApiShape } from '../core/request-facts.js';
import { endOfFirstFrame } from '../core/sse-frames.js';

/** Most bytes of an answer that are held back, and of an unfinished frame. */
export const HOLD_LIMIT = 1024 * 1024;

/**
 * How an answer is judged. `frames`: a stream of server-sent events, by each frame. `whole`: another answer
 * that is small, at its end. `pass`: not at all, it goes on as it comes.
 */
export type AnswerMode = 'frames' | 'whole' | 'pass';

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const EVENT_STREAM = /^\s*text\/event-stream\s*(?:;|$)/i;
const COMMIT: Verdict = { kind: 'commit' };

function modeOf(method: string, status: number, headers: RawHeaders): AnswerMode {
  if (isRetryableStatus(status)) return 'whole';
  // There is no body, or one that cannot be looked into without changing it.
  if (method === 'HEAD' || headerValue(headers, 'content-encoding') !== undefined) return 'pass';
  const type = headerValue(headers, 'content-type') ?? '';
  if (EVENT_STREAM.test(type)) return 'frames';
  const length = Number(headerValue(headers, 'content-length') ?? 0);
  return JSON_TYPE.test(type) && length <= HOLD_LIMIT ? 'whole' : 'pass';
}

/** The beginning of an engine's answer, held back until `core/commit.ts` says that it is one. */
export class HeldAnswer {
  readonly mode: AnswerMode;
  readonly #status: number;
  readonly #shape: ApiShape;
  /** At most `HOLD_LIMIT` bytes and one chunk. */
  #chunks: Buffer[] = [];
  #length = 0;
  /** In mode `frames`: how much has been judged. */
  #judged = 0;

  constructor(method: string, status: number, headers: RawHeaders, shape: ApiShape) {
    this.mode = modeOf(method, status, headers);
    this.#status = status;
    this.#shape = shape;
  }

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** All bytes held, in one piece. */
  bytes(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  /** Takes the next bytes of the answer and judges what is there. */
  add(chunk: Buffer): Verdict {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.mode === 'pass') return COMMIT;
    const verdict: Verdict = this.mode === 'frames' ? this.#judgeFrames() : { kind: 'wait' };
    return verdict.kind === 'wait' && this.#length > HOLD_LIMIT ? COMMIT : verdict;
  }

  /** Judges an answer that has ended and was held until then. */
  end(): Verdict {
    if (this.mode === 'pass') return COMMIT;
    return this.mode === 'frames'
      ? { kind: 'fail', cause: 'empty_stream' }
      : judgeAnswer(this.#status, this.bytes());
  }

  #judgeFrames(): Verdict {
    const held = this.bytes();
    for (;;) {
      const end = endOfFirstFrame(held, this.#judged);
      if (end < 0) return { kind: 'wait' };
      const verdict = judgeFrame(held.toString('utf8', this.#judged, end), this.#shape);
      this.#judged = end;
      if (verdict.kind !== 'wait') return verdict;
    }
  }
}
