import { MOST_OCCURRENCES, type Occurrence } from './live-view.js';

/** The same of one engine within this time is one occurrence: several processes find it out. Seconds. */
const SAME_WITHIN = 1;
/** Longest detail that is kept, in characters. */
const LONGEST_DETAIL = 300;

/** The last things that happened. Bounded by `MOST_OCCURRENCES`. */
export class Occurrences {
  #all: Occurrence[] = [];
  #number = 0;

  /** @param what `at` in seconds since the epoch */
  add(what: Omit<Occurrence, 'number'>): void {
    const same = this.#all.findLast(({ engine }) => engine === what.engine);
    if (what.engine !== null && same?.kind === what.kind && what.at - same.at < SAME_WITHIN) return;
    const detail = what.detail?.slice(0, LONGEST_DETAIL) ?? null;
    this.#all.push({ ...what, detail, number: ++this.#number });
    if (this.#all.length > MOST_OCCURRENCES) this.#all = this.#all.slice(-MOST_OCCURRENCES);
  }

  /** The oldest first. */
  get all(): readonly Occurrence[] {
    return this.#all;
  }
}
