import { fieldsOf, type Filled, headersOf, isFile, targetOf } from './request-text.js';
import type { ShownOperation } from './shown-api.js';

/** What has come of a request so far. */
export interface Received {
  readonly status: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  readonly over: boolean;
}

/** Characters of an answer that are shown; the rest is counted. */
const MOST_SHOWN = 200_000;
const TEXT = /^(text\/|application\/([\w.-]+\+)?json)/;

/** A request as the browser sends it. */
export interface Sending {
  readonly base: string;
  readonly operation: ShownOperation;
  readonly filled: Filled;
  readonly key: string;
  /** For each field of a form that is one. */
  readonly files: Readonly<Record<string, File>>;
}

function bodyOf({ operation, filled, files }: Sending): BodyInit | null {
  if (operation.body === null) return null;
  if (operation.body.type !== 'multipart/form-data') return filled.body;
  const form = new FormData();
  for (const [name, value] of Object.entries(fieldsOf(filled.body))) {
    const file = files[name];
    if (!isFile(value)) form.append(name, String(value));
    else if (file !== undefined) form.append(name, file);
  }
  return form;
}

/** Sends it and tells of the answer as it comes. Never throws: what goes wrong is told too. */
export async function send(
  sending: Sending,
  signal: AbortSignal,
  tell: (received: Received) => void,
): Promise<void> {
  const { base, operation, filled, key } = sending;
  let received: Received = { status: '', headers: [], text: '', over: false };
  const now = (more: Partial<Received>): void => tell((received = { ...received, ...more }));
  try {
    const headers = new Headers(
      headersOf(operation, filled.parameters).map(([name, value]) => [name, value]),
    );
    if (key !== '') headers.set('authorization', `Bearer ${key}`);
    if (operation.body?.type === 'application/json') headers.set('content-type', 'application/json');
    const answer = await fetch(base + targetOf(operation, filled.parameters), {
      method: operation.method,
      headers,
      body: bodyOf(sending),
      signal,
    });
    now({ status: `${answer.status} ${answer.statusText}`, headers: [...answer.headers] });
    const type = answer.headers.get('content-type') ?? '';
    if (TEXT.test(type)) await readText(answer, (text) => now({ text }));
    else
      now({ text: `${(await answer.arrayBuffer()).byteLength} bytes of ${type === '' ? 'no type' : type}` });
    now({ over: true, text: type.startsWith('application/json') ? indented(received.text) : received.text });
  } catch (error) {
    const reason = signal.aborted ? 'Stopped.' : error instanceof Error ? error.message : String(error);
    now({ over: true, text: `${received.text}${received.text === '' ? '' : '\n\n'}${reason}` });
  }
}

async function readText(answer: Response, tell: (text: string) => void): Promise<void> {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let more = 0;
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return;
    const decoded = decoder.decode(part.value, { stream: true });
    if (text.length < MOST_SHOWN) text += decoded;
    else more += decoded.length;
    tell(more === 0 ? text : `${text}\n\n… and ${more} characters more`);
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
