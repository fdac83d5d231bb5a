/** What a list keeps in its members; both null outside of a list. */
export interface Member<T> {
  before: T | null;
  after: T | null;
}

/**
 * Members that come and go with every request, each in at most one list: O(1), nothing allocated.
 *
 * A `Set` would do but for V8's collector: when its table is full of deleted entries it moves to another one,
 * and the old table points to the new one and to all that was in it. Once an old table has been promoted, it
 * keeps every later one and the requests in them alive until the next full collection.
 */
export class MemberList<T extends Member<T>> implements Iterable<T> {
  #first: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The newest; the others follow by `after`. */
  get first(): T | null {
    return this.#first;
  }

  add(member: T): void {
    member.before = null;
    member.after = this.#first;
    if (this.#first !== null) this.#first.before = member;
    this.#first = member;
    this.#size++;
  }

  /** Takes out a member; one that is in no list stays as it is. */
  remove(member: T): void {
    const { before, after } = member;
    if (before === null && this.#first !== member) return;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after !== null) after.before = before;
    member.before = member.after = null;
    this.#size--;
  }

  /** The newest first. The member that is being looked at may be removed. */
  *[Symbol.iterator](): Iterator<T> {
    for (let member = this.#first; member !== null;) {
      const { after } = member;
      yield member;
      member = after;
    }
  }
}
