import type { Sequence } from './sequence.js';

/**
 * Sequences that wait, the next one first: by arrival, or by priority and then arrival. It holds as many as the
 * front end has requests open; the model's queue caps bound it further.
 */
export class WaitingQueue {
  readonly #byPriority: boolean;
  #first: Sequence | null = null;
  #last: Sequence | null = null;
  #size = 0;

  constructor(byPriority: boolean) {
    this.#byPriority = byPriority;
  }

  get first(): Sequence | null {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts a new sequence behind its equals. */
  add(sequence: Sequence): void {
    let before = this.#last;
    if (this.#byPriority) while (before && goesFirst(sequence, before)) before = before.previous;
    this.#insert(sequence, before);
  }

  /** Puts a sequence back that has run: before all others, or where its priority and arrival say. */
  putBack(sequence: Sequence): void {
    if (this.#byPriority) this.add(sequence);
    else this.#insert(sequence, null);
  }

  remove(sequence: Sequence): void {
    const { previous, next } = sequence;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    sequence.previous = null;
    sequence.next = null;
    this.#size--;
  }

  #insert(sequence: Sequence, previous: Sequence | null): void {
    const next = previous ? previous.next : this.#first;
    sequence.previous = previous;
    sequence.next = next;
    if (previous) previous.next = sequence;
    else this.#first = sequence;
    if (next) next.previous = sequence;
    else this.#last = sequence;
    this.#size++;
  }
}

/** Whether `one` comes before `other` by priority (the lower first), then arrival, then order of submission. */
export function goesFirst(one: Sequence, other: Sequence): boolean {
  const [mine, theirs] = [one.spec.priority ?? 0, other.spec.priority ?? 0];
  if (mine !== theirs) return mine < theirs;
  if (one.arrival !== other.arrival) return one.arrival < other.arrival;
  return one.order < other.order;
}
