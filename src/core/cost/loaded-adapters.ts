/** Seconds that an engine needs to load a LoRA that it does not hold: .2 to 1, by size and storage. */
const LOADING_SECONDS = 0.5;

/**
 * The adapters that one engine is believed to hold: those that it served last. vLLM keeps `--max-loras` of them on
 * the GPU and drops the least recently used. Bound: `slots`.
 */
export class LoadedAdapters {
  /** The least recently used first. */
  readonly #names: string[] = [];

  /** @param slots adapters that fit at once; vLLM does not tell, four are usual */
  constructor(private readonly slots = 4) {}

  has(adapter: string): boolean {
    return this.#names.includes(adapter);
  }

  /** The engine was sent a request for `adapter`. */
  use(adapter: string): void {
    const at = this.#names.indexOf(adapter);
    if (at >= 0) this.#names.splice(at, 1);
    this.#names.push(adapter);
    if (this.#names.length > this.slots) this.#names.shift();
  }

  /** The engine has restarted or sleeps. */
  clear(): void {
    this.#names.length = 0;
  }
}

/** What loading an adapter costs, as prompt tokens that the engine could compute in that time. */
export function loadingTokens(prefillRate: number): number {
  return LOADING_SECONDS * prefillRate;
}
