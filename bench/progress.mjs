// Tells on the terminal how far the benchmark is.
import process from 'node:process';

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** Progress over work that is planned as `seconds` in total. */
export class Progress {
  #began = performance.now();
  #planned;
  #over = 0;

  constructor(seconds) {
    this.#planned = seconds;
  }

  /** `seconds` of the plan are over. On a terminal this rewrites the last line. */
  advance(seconds, what) {
    this.#over = Math.min(this.#planned, this.#over + seconds);
    if (!process.stdout.isTTY) return;
    process.stdout.write(`\r\u001b[K${this.#position()}  ${what}`);
  }

  /** One line that stays. */
  say(text) {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
    console.log(`${this.#position()}  ${text}`);
  }

  #position() {
    const share = this.#planned > 0 ? this.#over / this.#planned : 1;
    const passed = (performance.now() - this.#began) / 1000;
    // The plan's own seconds until enough of it is over to judge by.
    const left = share > 0.05 ? (passed / share) * (1 - share) : this.#planned - this.#over;
    return `[${String(Math.floor(share * 100)).padStart(3)} %, ${clock(passed)}, ${clock(left)} left]`;
  }
}
