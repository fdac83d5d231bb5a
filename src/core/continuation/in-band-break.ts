import { type FailCause, judgeFrame } from '../commit.js';
import { endOfFirstFrame } from '../sse-frames.js';
import { readStreamFrame, type TextShape } from './stream-frame.js';
import { unframed } from './unframed.js';

/** As vLLM writes them; in a text of its own a quote would be escaped. */
const ABORT = Buffer.from('"abort"');
const ERROR = Buffer.from('{"error"');

export interface InBandBreak {
  readonly cause: FailCause;
  /** The whole frames before the one that tells of it, without chunk framing. */
  readonly before: Buffer;
  /** That one and what follows. */
  readonly rest: Buffer;
}

/**
 * How an engine tells within a stream that it will not finish it: by an end for the reason `abort` while the client is
 * there, or by an error that does not blame the request. Null for anything else, which nearly all pieces are.
 * @param framed the bytes are whole chunks of a chunked body (RFC 9112 section 7.1)
 */
export function inBandBreak(bytes: Buffer, framed: boolean, shape: TextShape): InBandBreak | null {
  if (!bytes.includes(ABORT) && !bytes.includes(ERROR)) return null;
  let frames: Buffer;
  try {
    frames = framed ? unframed(bytes) : bytes;
  } catch {
    return null;
  }
  for (let at = 0, end = endOfFirstFrame(frames, 0); end >= 0; end = endOfFirstFrame(frames, at)) {
    const cause = causeOf(frames.toString('utf8', at, end), shape);
    if (cause !== null) return { cause, before: frames.subarray(0, at), rest: frames.subarray(at) };
    at = end;
  }
  return null;
}

function causeOf(frame: string, shape: TextShape): FailCause | null {
  const read = readStreamFrame(frame, shape);
  if (read.kind === 'chunk' && read.finish === 'abort') return 'abort';
  if (read.kind !== 'other') return null;
  const verdict = judgeFrame(frame, shape);
  return verdict.kind === 'fail' ? verdict.cause : null;
}
