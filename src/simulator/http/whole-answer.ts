import type { FinishReason } from '../model/sequence.js';
import type { Choice } from './choice.js';
import type { Exchange } from './exchange.js';
import type { AnswerOutput } from './job.js';
import type { Dialect } from './wire-format.js';
import { ENGINE_DEAD } from './wire-format-other.js';

/** A generation as one JSON answer at its end. */
export class WholeAnswer implements AnswerOutput {
  #open: number;

  constructor(
    private readonly exchange: Exchange,
    private readonly dialect: Dialect,
    private readonly choices: readonly Choice[],
  ) {
    this.#open = choices.length;
  }

  token(choice: number): void {
    const it = this.choices[choice];
    if (it !== undefined) it.made += 1;
  }

  finished(choice: number, reason: FinishReason): void {
    const it = this.choices[choice];
    if (it !== undefined) it.finish = reason;
    this.#open -= 1;
  }

  flush(): void {
    if (this.#open > 0 || this.exchange.over) return;
    if (this.exchange.fault?.errorEvent === true) return this.fail();
    const count = this.choices.reduce((sum, { made }) => sum + made, 0);
    const ended = this.choices.map((choice) => choice.ended());
    this.exchange.sendJson(200, this.dialect.whole(ended, count));
  }

  fail(): void {
    this.exchange.sendError(ENGINE_DEAD);
  }
}
