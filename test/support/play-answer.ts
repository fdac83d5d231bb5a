import { setTimeout as pause } from 'node:timers/promises';
import type { UpstreamClient } from '../../src/upstream/upstream-client.js';
import { AnswerRecord } from './answer-record.js';
import type { RawEngine } from './raw-engine.js';

/** What became of one answer. */
export interface Outcome {
  readonly how: 'ended' | 'failed';
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  /** The next request came over the same connection. */
  readonly reused: boolean;
  /** What the client said of a failure. */
  readonly fault: string;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** The engine ends a connection so long after its last byte, when the client still waits; milliseconds. */
const PATIENCE = 60;

/** Plays an answer to a client over a real connection, and then a second request. */
export async function play(
  engine: RawEngine,
  client: UpstreamClient,
  answer: {
    readonly raw: string;
    readonly method?: string;
    readonly fin?: boolean;
    readonly cuts?: readonly number[];
  },
): Promise<Outcome> {
  engine.forget();
  const { raw, method = 'GET', cuts = [] } = answer;
  const first = new AnswerRecord();
  const firstSocket = engine.sockets.length;
  const written = new Promise<void>((resolve) => {
    engine.answer({ raw, cuts, written: resolve, ...(answer.fin ? { ending: 'fin' as const } : {}) });
  });
  client.send({ method, path: '/', headers: [], body: [] }, first, true);
  await Promise.race([first.over, written]);
  const given = await Promise.race([first.over, pause(PATIENCE)]);
  if (given === undefined) engine.sockets.at(-1)?.end();
  const how = await first.over;
  const sockets = engine.sockets.length;
  engine.forget();
  engine.answer({ raw: OK }, { raw: OK });
  const second = new AnswerRecord();
  client.send({ method: 'GET', path: '/', headers: [], body: [] }, second, false);
  const then = await second.over;
  const reused = engine.sockets.length === sockets && then === 'ended';
  client.close();
  if (sockets - firstSocket > 1) throw new Error('more than one connection was opened');
  return {
    how,
    status: first.status,
    headers: first.headers,
    body: first.text,
    reused,
    fault: first.error?.message ?? '',
  };
}
