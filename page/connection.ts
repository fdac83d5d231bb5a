import type { LiveNews } from '../src/core/live/live-view.js';

/** How the page stands with its server. */
export type Status =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `again`: milliseconds since the epoch, of the next try. */
  | { readonly kind: 'lost'; readonly reason: string; readonly again: number }
  /** The server asks for the admin key; `wrong`: the one that it was sent is none. */
  | { readonly kind: 'locked'; readonly wrong: boolean };

/** A server that tells nothing for so long is gone: it tells something each second. Milliseconds. */
const SILENCE_MS = 6_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;

export interface Listener {
  status(status: Status): void;
  news(news: LiveNews): void;
}

/** Follows the server's events, and connects again when they cease. The key goes in a header, which EventSource has not. */
export class Connection {
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(
    private readonly keyOf: () => string | null,
    private readonly listener: Listener,
  ) {}

  /** Connects now, whatever was before. */
  open(): void {
    this.close();
    const abort = (this.#abort = new AbortController());
    void this.#follow(abort).catch((error: unknown) => {
      if (this.#abort !== abort) return;
      abort.abort();
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
      const reason = error instanceof ServerSays ? error.message : 'The router does not answer.';
      this.listener.status({ kind: 'lost', reason, again: Date.now() + wait });
      this.#timer = setTimeout(() => this.open(), wait);
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  async #follow(abort: AbortController): Promise<void> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    heard();
    try {
      const key = this.keyOf();
      if (key === null && (await asksForKey(abort.signal))) {
        this.close();
        this.listener.status({ kind: 'locked', wrong: false });
        return;
      }
      const answer = await fetch('dashboard/events', {
        signal: abort.signal,
        cache: 'no-store',
        credentials: 'omit',
        headers: key === null ? {} : { authorization: `Bearer ${key}` },
      });
      if (answer.status === 401) {
        this.close();
        this.listener.status({ kind: 'locked', wrong: key !== null });
        return;
      }
      if (!answer.ok || answer.body === null) throw new ServerSays(await reasonIn(answer));
      for await (const data of eventsOf(answer.body, heard)) {
        if (this.#abort !== abort) return;
        this.#failures = 0;
        this.listener.status({ kind: 'live' });
        this.listener.news(JSON.parse(data) as LiveNews);
      }
      throw new Error('the stream has ended');
    } finally {
      clearTimeout(silence);
    }
  }
}

/** Whether the router has an admin key. */
async function asksForKey(signal: AbortSignal): Promise<boolean> {
  const answer = await fetch('dashboard/access', { signal, cache: 'no-store', credentials: 'omit' });
  if (!answer.ok) throw new ServerSays(await reasonIn(answer));
  return ((await answer.json()) as { asks_for_key?: unknown }).asks_for_key === true;
}

/** What the server says for itself. */
class ServerSays extends Error {}

/** The message in an error of the router. */
export async function reasonIn(answer: Response): Promise<string> {
  const body: unknown = await answer.json().catch(() => null);
  const message = (body as { error?: { message?: unknown } } | null)?.error?.message;
  return typeof message === 'string' ? message : `The router answered ${answer.status}.`;
}

/** The data of each event of a stream. */
async function* eventsOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  heard: () => void,
): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    text += value;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) if (frame.startsWith('data: ')) yield frame.slice('data: '.length);
  }
}
