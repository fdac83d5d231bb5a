import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Exchange } from './exchange.js';
import { type FixedAnswer, isDead } from './fault.js';
import type { ReceivedBody } from './request-body.js';
import { DRAINING, ENGINE_DEAD, internalError, QUEUE_FULL } from './wire-format-other.js';

/** Answers in place of the engine when the fault has an answer of its own. False when it has none. */
export function answerByFault(exchange: Exchange, body: ReceivedBody): boolean {
  const { fault } = exchange;
  if (fault === null) return false;
  if (fault.garbage === true) exchange.sendRaw('220 this is not HTTP\r\n\r\n');
  else if (fault.raw !== undefined) exchange.sendRaw(fault.raw);
  else if (fault.answer !== undefined) sendFixed(exchange, fault.answer);
  else if (fault.echo === true) sendEcho(exchange, body);
  else if (fault.draining === true) exchange.sendError(DRAINING);
  else if (isDead(fault)) exchange.sendError(ENGINE_DEAD);
  else if (fault.queueFull === true) exchange.sendError(QUEUE_FULL);
  else if (fault.status !== undefined || fault.flatError === true) sendStatus(exchange, fault.status ?? 500);
  else return false;
  return true;
}

function sendStatus(exchange: Exchange, status: number): void {
  const body = exchange.fault?.body;
  if (body === undefined) return exchange.sendError({ ...internalError('a fault was asked for'), status });
  exchange.send(status, ['content-type', 'application/json'], body);
}

function sendEcho(exchange: Exchange, body: ReceivedBody): void {
  const type = exchange.seen.headers['content-type'] ?? 'application/octet-stream';
  exchange.send(200, ['content-type', type], body.bytes ?? Buffer.alloc(0));
}

function sendFixed(exchange: Exchange, answer: FixedAnswer): void {
  const given = answer.headers ?? [];
  const headers = (isPairs(given) ? given : Object.entries(given)).flat();
  const status = answer.status ?? 200;
  if (answer.chunks === undefined) {
    exchange.sendPlain(status, headers, answer.bodyBytes ?? '');
  } else if (exchange.startChunks(status, headers)) {
    void sendChunks(exchange, answer.chunks);
  }
}

async function sendChunks(exchange: Exchange, chunks: readonly (Uint8Array | string)[]): Promise<void> {
  for (const chunk of chunks) {
    if (exchange.over) return;
    exchange.frame(chunk);
    await nextTurn();
  }
  exchange.end();
}

function isPairs(
  headers: NonNullable<FixedAnswer['headers']>,
): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}
