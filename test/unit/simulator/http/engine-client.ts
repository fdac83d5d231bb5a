import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON. */
  readonly body?: object | string;
}

/** Starts a request on a connection of its own. */
export function ask(url: string, { method, headers, body }: Asking = {}): ClientRequest {
  const isJson = typeof body === 'object';
  const sent = request(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    agent: false,
    headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), connection: 'close', ...headers },
  });
  sent.end(isJson ? JSON.stringify(body) : body);
  return sent;
}

/** The head of an answer; rejects when there is none. */
export async function headOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** A whole answer; rejects when the connection fails before its end. */
export async function fetchAnswer(url: string, asking: Asking = {}): Promise<Answer> {
  const answer = await headOf(ask(url, asking));
  const body = await buffer(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, rawHeaders: answer.rawHeaders, body };
}

/** All bytes that come on a plain socket until it is closed, and whether a reset closed it. */
export async function rawAnswer(port: number, bytes: string): Promise<{ text: string; reset: boolean }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return readToEnd(socket);
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export async function readToEnd(socket: Socket): Promise<{ text: string; reset: boolean }> {
  const parts: Buffer[] = [];
  let reset = false;
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => (reset = true));
  await new Promise((resolve) => socket.once('close', resolve));
  return { text: Buffer.concat(parts).toString(), reset };
}

/** A POST with a JSON body as it goes over the wire. */
export function rawPost(path: string, body: object): string {
  const text = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

export const chatOf = (fields: object = {}): object => ({
  model: 'tiny',
  messages: [{ role: 'user', content: 'a b c w1 w2' }],
  max_tokens: 4,
  ...fields,
});

/** The frames of an SSE body, without their blank lines. */
export const framesOf = (body: Buffer | string): string[] =>
  body
    .toString()
    .split('\n\n')
    .filter((frame) => frame !== '');

/** Collects what comes until `enough` says so; the stream goes on flowing. */
export async function collect(from: Readable, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    from.once('error', reject);
    from.on('data', (part: Buffer | string) => {
      text += part.toString();
      if (enough(text)) resolve(text);
    });
  });
}
