import { AnswerReader } from '../../src/core/http1/answer-reader.js';
import { MalformedAnswer } from '../../src/core/http1/malformed-answer.js';
import { AnswerRecord } from './answer-record.js';

/** What the pure reader makes of an answer. */
export interface ReadAnswer {
  readonly how: 'ended' | 'failed' | 'unended';
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly keepAlive: boolean;
  /** Bytes behind the answer, in the read that ended it. */
  readonly surplus: boolean;
  readonly record: AnswerRecord;
}

/** Reads an answer that comes in pieces, each at the same place in memory, as on a real connection. */
export function readAnswer(
  raw: string,
  given: { readonly cuts?: readonly number[]; readonly method?: string; readonly fin?: boolean } = {},
): ReadAnswer {
  const bytes = Buffer.from(raw, 'latin1');
  const memory = Buffer.alloc(bytes.length + 8, '\r\n\r\n');
  const record = new AnswerRecord();
  const sink = {
    head: (status: number, statusText: string, headers: string[]): boolean => {
      record.head(status, statusText, headers);
      return true;
    },
    body: (piece: Parameters<AnswerRecord['body']>[0]): boolean => {
      record.body(piece);
      return true;
    },
  };
  const reader = new AnswerReader();
  reader.begin(given.method ?? 'GET');
  let how: ReadAnswer['how'] = 'unended';
  let at = 0;
  let surplus = false;
  try {
    for (const cut of [...(given.cuts ?? []), bytes.length]) {
      const size = bytes.copy(memory, 0, at, cut);
      surplus = reader.read(memory, 0, size, sink) < size;
      at = cut;
      if (reader.over) break;
    }
    surplus ||= at < bytes.length;
    if (reader.over || (given.fin && reader.close())) how = 'ended';
    else if (given.fin) how = 'failed';
  } catch (error) {
    if (!(error instanceof MalformedAnswer)) throw error;
    how = 'failed';
  }
  const { status, statusText, headers, text: body } = record;
  return { how, status, statusText, headers, body, keepAlive: reader.keepAlive, surplus, record };
}
