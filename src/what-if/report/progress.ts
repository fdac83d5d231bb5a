const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

const BAR = 24;

/** Where progress goes; `isTTY` decides its form. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How many runs have ended: a bar that moves on a terminal, else a line for every tenth of them. */
export class Progress {
  readonly #out: ProgressOutput;
  readonly #total: number;
  readonly #now: () => number;
  readonly #began: number;
  #done = 0;

  /** @param now milliseconds */
  constructor(out: ProgressOutput, total: number, now: () => number) {
    this.#out = out;
    this.#total = total;
    this.#now = now;
    this.#began = now();
    if (out.isTTY) this.#draw('');
  }

  /** One more run has ended. */
  advance(what: string): void {
    this.#done++;
    if (this.#out.isTTY) this.#draw(what);
    else if (this.#tenths(this.#done) > this.#tenths(this.#done - 1)) {
      this.#out.write(`${this.#done} of ${this.#total} runs, ${this.#times()}\n`);
    }
  }

  /** Clears the bar. */
  end(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #draw(what: string): void {
    const full = Math.round((this.#done / this.#total) * BAR);
    const bar = '#'.repeat(full).padEnd(BAR, '.');
    this.#out.write(`\r\u001b[K[${bar}] ${this.#done}/${this.#total} runs, ${this.#times()}  ${what}`);
  }

  #tenths(done: number): number {
    return Math.floor((done * 10) / this.#total);
  }

  #times(): string {
    const passed = (this.#now() - this.#began) / 1e3;
    if (this.#done === 0) return clock(passed);
    return `${clock(passed)}, about ${clock((passed / this.#done) * (this.#total - this.#done))} left`;
  }
}
