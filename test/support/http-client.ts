import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Asking {
  readonly method?: string;
  /** Pairs are sent in this order and spelling. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Bytes and text as they are; any other object as JSON. */
  readonly body?: Buffer | string | object;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Starts a request on a connection of its own; the body goes with a content-length. */
export function begin(url: string, { method, headers = {}, body }: Asking = {}): ClientRequest {
  const isBytes = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  const bytes = isBytes ? Buffer.from(body ?? '') : Buffer.from(JSON.stringify(body));
  const type = isBytes ? [] : [['content-type', 'application/json'] as const];
  const length = body === undefined ? [] : [['content-length', String(bytes.length)] as const];
  const given = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  const { host } = new URL(url);
  const lines = [['host', host] as const, ...type, ...length, ['connection', 'close'] as const, ...given];
  const sent = request(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    agent: false,
    headers: lines.flat(),
  });
  sent.end(bytes);
  return sent;
}

/** The head of an answer; rejects when there is none. */
export async function headOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** A whole answer; rejects when the connection fails before its end. */
export async function ask(url: string, asking: Asking = {}): Promise<Answer> {
  const answer = await headOf(begin(url, asking));
  const body = await buffer(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, rawHeaders: answer.rawHeaders, body };
}

/** The JSON of an answer's body. */
export const jsonOf = <T = Record<string, unknown>>({ body }: Pick<Answer, 'body'>): T =>
  JSON.parse(body.toString()) as T;

/** The error object of an answer in OpenAI's shape. */
export function errorOf(answer: Pick<Answer, 'body'>): {
  message: string;
  type: string;
  param: unknown;
  code: unknown;
} {
  return jsonOf<{ error: ReturnType<typeof errorOf> }>(answer).error;
}

/** A plain TCP connection. */
export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** All that comes on a connection until the other side closes it. */
export async function readToClose(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  if (!socket.readableEnded && !socket.destroyed) {
    await Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => undefined);
  }
  socket.destroy();
  return Buffer.concat(parts).toString('latin1');
}

/** Sends bytes on a connection of their own and returns all that comes back until it is closed. */
export async function rawExchange(url: string, bytes: string | Buffer): Promise<string> {
  const socket = await openSocket(url);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return readToClose(socket);
}

/** What comes on a connection until `mark` is part of it. */
export async function readUntil(socket: Socket, mark: string): Promise<string> {
  let seen = '';
  for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += part.toString('latin1');
    if (seen.includes(mark)) return seen;
  }
  throw new Error(`the connection closed before ${JSON.stringify(mark)} came, after ${JSON.stringify(seen)}`);
}

/** The frames of a stream as they come, each with its blank line; null at its end. */
export function frameReader(answer: IncomingMessage): () => Promise<string | null> {
  const parts = answer.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let text = '';
  return async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const frame = text.slice(0, end + 2);
        text = text.slice(end + 2);
        return frame;
      }
      const part = await parts.next();
      if (part.done === true) return null;
      text += part.value.toString();
    }
  };
}

/** The frames of a whole stream, without their blank lines. */
export const framesOf = (body: Buffer | string): string[] =>
  body
    .toString()
    .split('\n\n')
    .filter((frame) => frame !== '');

/** A chat request. */
export const chat = (fields: object = {}): object => ({
  model: 'tiny',
  messages: [{ role: 'user', content: 'a b c w1 w2' }],
  max_tokens: 4,
  ...fields,
});
