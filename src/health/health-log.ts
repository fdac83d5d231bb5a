import { Logger } from '@nestjs/common';
import type { Engine } from '../core/engine.js';
import type { HealthCause } from '../core/health/failure-rules.js';

/** Ejections of one engine that are told in each period; an engine that comes and goes does not flood the log. */
const TOLD = 3;
/** Milliseconds. */
const PERIOD = 60_000;

interface Line {
  since: number;
  told: number;
  /** Ejections that were not told. */
  untold: number;
  /** The last line says that the engine is ejected. */
  open: boolean;
}

/** One line when an engine is ejected, and one when it is back. Bounded by the engines. */
export class HealthLog {
  readonly #log = new Logger('Health');
  readonly #lines = new Map<string, Line>();

  ejected({ id, url }: Engine, cause: HealthCause, ms: number, now: number): void {
    const line = this.#take(id, now);
    if (line === null) return;
    const more = line.untold > 0 ? ` (${line.untold} times more since the line before)` : '';
    line.untold = 0;
    this.#log.warn(`engine ${url} is ejected for ${(ms / 1_000).toFixed(1)} s at first: ${cause}${more}`);
  }

  back({ id, url }: Engine): void {
    const line = this.#lines.get(id);
    if (!line?.open) return;
    line.open = false;
    this.#log.log(`engine ${url} answers again`);
  }

  /** An operator has taken the engine out, or given it back. */
  ordered({ url }: Engine, drained: boolean): void {
    this.#log.log(
      drained
        ? `engine ${url} gets no new requests: drained by an operator`
        : `engine ${url} is given back by an operator`,
    );
  }

  /** Another process on the port has told of an ejection. */
  heardEjected(id: string, now: number): void {
    this.#take(id, now);
  }

  /** Another process on the port has told of a return. */
  heardBack(id: string): void {
    const line = this.#lines.get(id);
    if (line) line.open = false;
  }

  /** Forgets engines that are none of these. */
  retain(has: (id: string) => boolean): void {
    for (const id of this.#lines.keys()) if (!has(id)) this.#lines.delete(id);
  }

  /** What is to be told of an engine; null when that is nothing. */
  #take(id: string, now: number): Line | null {
    let line = this.#lines.get(id);
    if (line?.open) return null;
    if (!line) this.#lines.set(id, (line = { since: now, told: 0, untold: 0, open: false }));
    if (now >= line.since + PERIOD) {
      line.since = now;
      line.told = 0;
    }
    if (line.told >= TOLD) {
      line.untold++;
      return null;
    }
    line.told++;
    line.open = true;
    return line;
  }
}
