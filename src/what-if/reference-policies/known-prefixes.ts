/**
 * Which blocks of prompts each engine was sent, as most routers keep it: a map for each engine, the blocks that
 * were used least lately go first. A name stands for all before it, so no tree is needed.
 *
 * Bounds: engines, each with `capacity` names.
 */
export class KnownPrefixes {
  /** Names that are kept of each engine, at most. */
  capacity: number;
  /** By engine; the name used last stands last, with the number of its last use. */
  readonly #byEngine = new Map<string, Map<number, number>>();
  #uses = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** How many names from the first one on the engine holds. */
  match(engine: string, names: Float64Array): number {
    const held = this.#byEngine.get(engine);
    if (held === undefined) return 0;
    let length = 0;
    while (length < names.length && held.has(names[length] as number)) length++;
    return length;
  }

  /** When the engine was last sent the block, as a number that grows with time; 0: never. */
  lastUse(engine: string, name: number): number {
    return this.#byEngine.get(engine)?.get(name) ?? 0;
  }

  /** Names held of the engine. */
  size(engine: string): number {
    return this.#byEngine.get(engine)?.size ?? 0;
  }

  /** The engine was sent a prompt. Its end is forgotten before its beginning, as vLLM does. */
  insert(engine: string, names: Float64Array): void {
    let held = this.#byEngine.get(engine);
    if (held === undefined) this.#byEngine.set(engine, (held = new Map()));
    const use = ++this.#uses;
    for (let at = names.length - 1; at >= 0; at--) {
      const name = names[at] as number;
      held.delete(name);
      held.set(name, use);
    }
    for (const name of held.keys()) {
      if (held.size <= this.capacity) break;
      held.delete(name);
    }
  }
}
