/** Block names in one batch at most: 512 KiB, prompts of 4 million tokens. What is beyond is not told. */
const MOST_NAMES = 65_536;
/** Engines that are told to be empty in one batch at most. */
const MOST_CLEARED = 10_000;
const FIRST_NAMES = 1_024;

/** What the prefix indexes of the other processes are to take in. */
export interface ToldPrompts {
  /** The engine of each prompt, and how many of `names` are its blocks, in the same order. */
  readonly engines: readonly string[];
  readonly counts: readonly number[];
  readonly names: Float64Array;
  /** Engines that have lost their caches; before the prompts. */
  readonly cleared: readonly string[];
}

/** Gathers what this process has put into its prefix index. Bounds: 65,536 block names, 10,000 engines. */
export class PromptNews {
  #names = new Float64Array(FIRST_NAMES);
  #size = 0;
  #engines: string[] = [];
  #counts: number[] = [];
  #cleared: string[] = [];

  add(engineId: string, names: Float64Array): void {
    const size = this.#size + names.length;
    if (names.length === 0 || size > MOST_NAMES) return;
    if (size > this.#names.length) {
      const wider = new Float64Array(Math.min(2 ** Math.ceil(Math.log2(size)), MOST_NAMES));
      wider.set(this.#names.subarray(0, this.#size));
      this.#names = wider;
    }
    this.#names.set(names, this.#size);
    this.#size = size;
    this.#engines.push(engineId);
    this.#counts.push(names.length);
  }

  /** The engine's cache is gone, and with it what was gathered for it. */
  clear(engineId: string): void {
    if (this.#cleared.length < MOST_CLEARED && !this.#cleared.includes(engineId))
      this.#cleared.push(engineId);
    this.#engines = this.#engines.map((id) => (id === engineId ? '' : id));
  }

  /** What was gathered since the last call; null when nothing was. */
  take(): ToldPrompts | null {
    if (this.#engines.length === 0 && this.#cleared.length === 0) return null;
    const told = {
      engines: this.#engines,
      counts: this.#counts,
      names: this.#names.slice(0, this.#size),
      cleared: this.#cleared,
    };
    this.#size = 0;
    [this.#engines, this.#counts, this.#cleared] = [[], [], []];
    return told;
  }
}

/** Calls `insert` and `clear` with what another process told; what makes no sense is passed over. */
export function readPrompts(
  told: unknown,
  insert: (engineId: string, names: Float64Array) => void,
  clear: (engineId: string) => void,
): void {
  if (typeof told !== 'object' || told === null) return;
  const { engines, counts, names, cleared } = told as Readonly<Record<keyof ToldPrompts, unknown>>;
  if (Array.isArray(cleared)) {
    for (const id of cleared.slice(0, MOST_CLEARED)) if (typeof id === 'string') clear(id);
  }
  if (!Array.isArray(engines) || !Array.isArray(counts) || !isNames(names)) return;
  if (names.length > MOST_NAMES || !names.every((name) => Number.isSafeInteger(name) && name >= 0)) return;
  let from = 0;
  for (const [at, id] of engines.entries()) {
    const count: unknown = counts[at];
    if (typeof count !== 'number' || !Number.isInteger(count) || count <= 0) return;
    if (from + count > names.length) return;
    if (typeof id === 'string' && id !== '') insert(id, names.subarray(from, from + count));
    from += count;
  }
}

/** By its tag: what came as a message may be of another realm, whose classes are others. */
function isNames(value: unknown): value is Float64Array {
  return Object.prototype.toString.call(value) === '[object Float64Array]';
}
