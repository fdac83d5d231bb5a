/** What the strategy of one worker tells those of the others. */
export interface StrategyNews {
  /** Strategies with the same key are made alike and may share, see `RoutingService.shareKey`. */
  readonly key: string;
  readonly news: unknown;
}

/** The same as another worker hears it. Without `told`: the worker is gone, or some of its news are lost. */
export interface HeardNews {
  readonly from: number;
  readonly told: StrategyNews | null;
}

/** News that wait for one worker which does not take them; beyond it, those of a worker are given up together. */
const MAX_WAITING = 512;

/**
 * Passes on what strategies learn, from each worker to all others, in order. A worker that begins hears what is
 * told from then on. Bounds for each worker: `MAX_WAITING` news, which strategies bound in size, and the word of what
 * is lost from each of the others.
 */
export class StrategyRelay {
  readonly #waiting = new Map<number, HeardNews[]>();

  join(worker: number): void {
    this.#waiting.set(worker, []);
  }

  /** A worker tells; from one that has not joined nothing is heard. */
  enter(from: number, told: StrategyNews): void {
    if (this.#waiting.has(from)) this.#toOthers(from, told);
  }

  /** A worker is gone. */
  leave(worker: number): void {
    if (!this.#waiting.delete(worker)) return;
    this.#toOthers(worker, null);
  }

  /** What a worker has not heard yet; null when there is nothing. */
  take(worker: number): readonly HeardNews[] | null {
    const waiting = this.#waiting.get(worker);
    if (waiting === undefined || waiting.length === 0) return null;
    this.#waiting.set(worker, []);
    return waiting;
  }

  #toOthers(from: number, told: StrategyNews | null): void {
    for (const [worker, waiting] of this.#waiting) {
      if (worker === from) continue;
      if (waiting.length >= MAX_WAITING) {
        // Those of others stay: what was under way on a worker that is gone would never be over otherwise.
        const others = waiting.filter((heard) => heard.from !== from);
        this.#waiting.set(worker, [...others, { from, told: null }]);
      } else waiting.push({ from, told });
    }
  }
}
