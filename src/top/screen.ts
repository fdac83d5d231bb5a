import type { Tone, TopLine } from '../core/top/top-text.js';

/** Control sequences of ECMA-48 and of xterm, which all terminals of today know. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  head: '\x1b[1m',
  good: '\x1b[32m',
  worse: '\x1b[33m',
  bad: '\x1b[31m',
};
const RESET = '\x1b[0m';

/** What is written to. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The whole screen of a terminal, given back as it was. */
export class Screen {
  #open = false;

  /** @param colours whether lines are shown in the colours of their tone */
  constructor(
    private readonly terminal: Terminal,
    private readonly colours: boolean,
  ) {}

  get width(): number {
    return Math.max(40, this.terminal.columns ?? 80);
  }

  open(): void {
    this.#open = true;
    this.terminal.write(ENTER);
  }

  /** Lines beyond the height are left out, the last one that fits says so. */
  draw(lines: readonly TopLine[]): void {
    if (!this.#open) return;
    const height = Math.max(2, this.terminal.rows ?? 24);
    const left = lines.length - height;
    const shown = left <= 0 ? lines : [...lines.slice(0, height - 1), more(left + 1)];
    const text = shown.map((line) => this.#coloured(line) + CLEAR_LINE).join('\r\n');
    this.terminal.write(HOME + text + CLEAR_BELOW);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.terminal.write(LEAVE);
  }

  #coloured({ text, tone }: TopLine): string {
    const colour = this.colours ? COLOURS[tone] : '';
    return colour === '' ? text : colour + text + RESET;
  }
}

const more = (count: number): TopLine => ({
  text: `${count} more lines: make the window higher`,
  tone: 'worse',
});
