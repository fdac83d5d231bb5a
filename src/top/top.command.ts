import { setTimeout as pause } from 'node:timers/promises';
import { fitted, printable } from '../core/printable.js';
import type { RouterScrape } from '../core/top/router-scrape.js';
import { type Sort, SORTS, type TopLine, topLines } from '../core/top/top-text.js';
import { type TopView, topView } from '../core/top/top-view.js';
import { RouterClient, RouterUnreachable } from './router-client.js';
import { Screen, type Terminal } from './screen.js';
import { readTopArguments, TOP_HELP, type TopArguments } from './top-arguments.js';

/** Over which quantiles and tallies are taken, milliseconds. */
const WINDOW_MS = 60_000;
/** Columns of a table that is no terminal's. */
const PRINTED_WIDTH = 200;

/** What the command needs of its surroundings. */
export interface TopSurroundings {
  readonly output: Terminal & { readonly isTTY?: boolean; on?(event: 'resize', heard: () => void): unknown };
  readonly env: NodeJS.ProcessEnv;
  /** Calls back with each key that is pressed, as text, until it is ended; undefined: there is no keyboard. */
  readonly keys?: (heard: (key: string) => void) => () => void;
  /** Aborts when the command is to end. */
  readonly stop: AbortSignal;
}

/**
 * `vllm-router top`: what a running router says of itself, in the terminal.
 * @returns the exit code
 * @throws {SettingsError} for wrong flags
 * @throws {RouterUnreachable} when the router cannot be asked the first time
 */
export async function topCommand(argv: readonly string[], around: TopSurroundings): Promise<number> {
  const wanted = readTopArguments(argv, around.env);
  if (wanted.help) {
    around.output.write(TOP_HELP);
    return 0;
  }
  const client = new RouterClient(wanted.url, wanted.adminKey);
  const first = await look(client, null);
  if (!wanted.once && around.output.isTTY === true) {
    await new LiveTop(wanted, client, around).run(first);
    return 0;
  }
  const { view } = first;
  const lines = topLines(view, wanted.url, PRINTED_WIDTH, wanted.sort).map(({ text }) => text);
  around.output.write(wanted.json ? `${JSON.stringify(view, null, 2)}\n` : `${lines.join('\n')}\n`);
  return view.health.unready === null ? 0 : 1;
}

interface Look {
  readonly scrape: RouterScrape;
  readonly view: TopView;
}

async function look(client: RouterClient, before: RouterScrape | null): Promise<Look> {
  const [scrape, health] = await Promise.all([client.scrape(), client.health()]);
  return { scrape, view: topView(scrape, before, health, Date.now() / 1_000) };
}

/** The table that is drawn anew. Keeps the scrapes of the last minute. */
class LiveTop {
  readonly #screen: Screen;
  readonly #scrapes: RouterScrape[] = [];
  #sort: Sort;
  #view: TopView | null = null;
  /** Why the last look failed. */
  #trouble: string | null = null;
  #ended = new AbortController();

  constructor(
    private readonly wanted: TopArguments,
    private readonly client: RouterClient,
    private readonly around: TopSurroundings,
  ) {
    this.#sort = wanted.sort;
    this.#screen = new Screen(around.output, (around.env['NO_COLOR'] ?? '') === '');
  }

  async run(first: Look): Promise<void> {
    const { stop, keys, output } = this.around;
    const end = (): void => this.#ended.abort();
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
    const release = keys?.((key) => this.#pressed(key));
    output.on?.('resize', () => this.#draw());
    this.#screen.open();
    try {
      this.#keep(first);
      while (!this.#ended.signal.aborted) {
        this.#draw();
        await pause(this.wanted.intervalMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
        if (!this.#ended.signal.aborted) await this.#lookAgain();
      }
    } finally {
      stop.removeEventListener('abort', end);
      release?.();
      this.#screen.close();
    }
  }

  async #lookAgain(): Promise<void> {
    try {
      this.#keep(await look(this.client, this.#scrapes[0] ?? null));
      this.#trouble = null;
    } catch (error) {
      if (!(error instanceof RouterUnreachable)) throw error;
      this.#trouble = error.message;
    }
  }

  #keep({ scrape, view }: Look): void {
    this.#view = view;
    this.#scrapes.push(scrape);
    while (scrape.at - this.#scrapes[0]!.at > WINDOW_MS) this.#scrapes.shift();
  }

  #pressed(key: string): void {
    // Ctrl-C and Ctrl-D come as letters from a terminal in raw mode.
    if (key === 'q' || key === '\u0003' || key === '\u0004') this.#ended.abort();
    if (key === 's') {
      this.#sort = SORTS[(SORTS.indexOf(this.#sort) + 1) % SORTS.length]!;
      this.#draw();
    }
  }

  #draw(): void {
    if (this.#view === null) return;
    const { width } = this.#screen;
    const trouble: TopLine[] =
      this.#trouble === null
        ? []
        : [{ text: fitted(printable(`trying again: ${this.#trouble}`), width), tone: 'bad' }];
    const help = `by ${this.#sort}; s sorts by another, q ends`;
    this.#screen.draw([
      ...trouble,
      ...topLines(this.#view, this.wanted.url, width, this.#sort),
      { text: '', tone: 'plain' },
      { text: fitted(help, width), tone: 'plain' },
    ]);
  }
}
