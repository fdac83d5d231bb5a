import { readRouterScrape, type RouterScrape } from '../core/top/router-scrape.js';
import type { RouterHealth } from '../core/top/top-view.js';
import { reasonOf } from '../config/settings-error.js';

/** How long one answer may take, milliseconds. */
const PATIENCE_MS = 5_000;
/** Largest answer that is read, in characters: 10,000 engines of some models each. */
const LARGEST = 256 * 1_024 * 1_024;

/** Why a router cannot be shown, in a sentence that says what to do. */
export class RouterUnreachable extends Error {}

/** Reads what a router says of itself. */
export class RouterClient {
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param url of the router, without a path of its own
   * @param key its admin key; null: none is sent
   */
  constructor(
    private readonly url: string,
    key: string | null,
  ) {
    this.#headers = key === null ? {} : { authorization: `Bearer ${key}` };
  }

  /** @throws {RouterUnreachable} */
  async scrape(): Promise<RouterScrape> {
    const at = performance.now();
    const { status, text } = await this.#get('/metrics');
    if (status === 401) {
      throw new RouterUnreachable(
        `${this.url} asks for its admin key: give it with --admin-key or VLLM_ROUTER_ADMIN_KEY`,
      );
    }
    if (status === 404) {
      throw new RouterUnreachable(
        `${this.url} does not show its metrics: a router with --admin-port shows them there alone, at its own host unless ` +
          '--admin-host says otherwise; give that address with --url',
      );
    }
    if (status !== 200) throw new RouterUnreachable(`${this.url}/metrics answers ${status}`);
    const scrape = readRouterScrape(text, at);
    if (scrape.version === null) {
      throw new RouterUnreachable(
        `${this.url} is no vllm-router: its /metrics lacks vllm_router_build_info; give the address of one with --url`,
      );
    }
    return scrape;
  }

  /** What it says of its health; as far as it says anything. @throws {RouterUnreachable} when it does not answer */
  async health(): Promise<RouterHealth> {
    const [health, ready] = await Promise.all([this.#json('/health'), this.#json('/ready')]);
    const unready = health.status === 200 ? ready : health;
    const because = textOf(unready.body, 'reason') ?? textOf(unready.body, 'status');
    const discovery = recordOf(health.body, 'discovery');
    const named = recordOf(health.body, 'engines')?.['not_ready'];
    return {
      unready: unready.status === 200 ? null : (because ?? `it answers ${unready.status}`),
      discovery:
        discovery === null
          ? null
          : {
              provider: textOf(discovery, 'provider') ?? '?',
              state: textOf(discovery, 'state') ?? '?',
              reason: textOf(discovery, 'reason'),
            },
      reasons: new Map(
        (Array.isArray(named) ? named : []).flatMap((engine: unknown) => {
          const [url, reason] = [textOf(engine, 'url'), textOf(engine, 'reason')];
          return url === null || reason === null ? [] : [[url, reason] as const];
        }),
      ),
    };
  }

  async #json(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const { status, text } = await this.#get(path);
    try {
      return { status, body: JSON.parse(text) };
    } catch {
      return { status, body: null };
    }
  }

  async #get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const answer = await fetch(this.url + path, { headers: this.#headers, redirect: 'manual', signal });
      let text = '';
      const decoder = new TextDecoder();
      for await (const bytes of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
        text += decoder.decode(bytes, { stream: true });
        if (text.length > LARGEST) throw new RouterUnreachable(`${this.url}${path} answers without an end`);
      }
      return { status: answer.status, text };
    } catch (error) {
      if (error instanceof RouterUnreachable) throw error;
      throw new RouterUnreachable(
        signal.aborted
          ? `${this.url} does not answer within ${PATIENCE_MS / 1_000} s`
          : `${this.url} cannot be reached: ${causeOf(error)}; is the router there? --url names another`,
      );
    }
  }
}

/** What lies behind `fetch failed`. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof AggregateError) return causeOf({ cause: cause.errors[0] });
  return reasonOf(cause ?? error);
}

function recordOf(value: unknown, key: string): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null) return null;
  const held = (value as Record<string, unknown>)[key];
  return typeof held === 'object' && held !== null ? (held as Record<string, unknown>) : null;
}

function textOf(value: unknown, key: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const held = (value as Record<string, unknown>)[key];
  return typeof held === 'string' ? held : null;
}
