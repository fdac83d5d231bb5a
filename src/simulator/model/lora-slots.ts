/**
 * Which adapters are in the engine's slots, and which run and wait. An adapter that comes into no slot waits;
 * one that runs keeps its slot; of the others the least recently used makes room.
 *
 * Bounds: as many slots as `maxLoras`; names of sequences that the engine holds.
 */
export class LoraSlots {
  readonly #size: number;
  /** Adapters in slots, the least recently used first. */
  readonly #slots = new Set<string>();
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
  }

  /** How many sequences of each adapter run, in the order of their first ones. */
  get running(): ReadonlyMap<string, number> {
    return this.#running;
  }

  /** How many sequences of each adapter wait. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting;
  }

  /** Whether a sequence of the adapter can run now. */
  fits(adapter: string | null): boolean {
    return adapter === null || this.#running.has(adapter) || this.#running.size < this.#size;
  }

  enqueue(adapter: string | null): void {
    count(this.#waiting, adapter, 1);
  }

  /** The sequence waits no longer. */
  dequeue(adapter: string | null): void {
    count(this.#waiting, adapter, -1);
  }

  /** A sequence begins to run; whether its adapter has to be loaded first. */
  start(adapter: string | null): boolean {
    count(this.#running, adapter, 1);
    if (adapter === null) return false;
    const loaded = this.#slots.delete(adapter);
    if (!loaded && this.#slots.size >= this.#size) {
      for (const idle of this.#slots) {
        if (this.#running.has(idle)) continue;
        this.#slots.delete(idle);
        break;
      }
    }
    this.#slots.add(adapter);
    return !loaded;
  }

  /** The sequence runs no longer. */
  stop(adapter: string | null): void {
    count(this.#running, adapter, -1);
  }

  /** The adapter was unloaded by an operator; sequences of it must not be there. */
  unload(adapter: string): void {
    this.#slots.delete(adapter);
  }
}

function count(counts: Map<string, number>, adapter: string | null, change: number): void {
  if (adapter === null) return;
  const sum = (counts.get(adapter) ?? 0) + change;
  if (sum > 0) counts.set(adapter, sum);
  else counts.delete(adapter);
}
