import { rename, stat } from 'node:fs/promises';

/** How often the size is looked at, milliseconds. */
const LOOK_MS = 1_000;

/**
 * Renames a file that has reached its size to `FILE.1`, in the place of the one before. One process alone may do
 * it: of two, the second could rename the new file. Those who write open the file anew (`AppendedFile`).
 */
export class LogRotation {
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #failing = false;

  /**
   * @param size in bytes
   * @param failed told when the file cannot be renamed; not again before that has worked
   */
  constructor(
    private readonly path: string,
    private readonly size: number,
    private readonly failed: (error: Error) => void,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Looks at the size once; never rejects. Does nothing while a look before it is under way: both would rename. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const there = await stat(this.path).catch(() => null);
      if (there?.isFile() && there.size >= this.size) {
        await rename(this.path, `${this.path}.1`);
        this.#failing = false;
      }
    } catch (error) {
      if (!this.#failing) this.failed(error as Error);
      this.#failing = true;
    } finally {
      this.#looking = false;
    }
  }
}
