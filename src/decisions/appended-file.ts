import { closeSync, constants, openSync, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** Lines wait this long for more of them, milliseconds. */
const BATCH_MS = 100;

/** Opening a pipe would wait until somebody reads from it; with `O_NONBLOCK` it fails (open(2)). Files do not heed it. */
const APPENDING = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

/** Told of what happens to the file. */
export interface FileListener {
  /** Lines were given up, since the file does not take them as fast as they come, or at all. */
  dropped(lines: number): void;
  /** Writing fails; not said again before it has worked once. */
  failing(error: Error): void;
}

/**
 * Appends lines to a file that others append to as well, or rename: whole lines in one write, in batches, never
 * waiting. `O_APPEND` puts each write at the end, wherever that is by then (open(2)).
 */
export class AppendedFile {
  /** At most `maxWaiting` characters. */
  #lines: string[] = [];
  /** Characters that wait or are being written. */
  #waiting = 0;
  #handle: FileHandle | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #failing = false;
  /** The last write has left the beginning of a line. */
  #torn = false;

  constructor(
    private readonly path: string,
    private readonly maxWaiting: number,
    private readonly listener: FileListener,
  ) {}

  /**
   * Makes the file if it is not there.
   * @throws {Error} when lines cannot be appended to `path`
   */
  static check(path: string): void {
    const known = statSync(path, { throwIfNoEntry: false });
    // Opening a pipe waits until somebody reads from it.
    if (known !== undefined && !known.isFile() && !known.isCharacterDevice()) {
      throw new Error('it is no file');
    }
    closeSync(openSync(path, 'a'));
  }

  /** Takes one line, without its end. */
  add(line: string): void {
    if (this.#waiting + line.length > this.maxWaiting) return this.listener.dropped(1);
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref();
  }

  /** Writes what waits; resolves once it is written or given up. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#writing !== null) await this.#writing;
    if (this.#lines.length === 0) return;
    this.#writing = this.#write().finally(() => (this.#writing = null));
    await this.#writing;
    if (this.#lines.length > 0) this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref();
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    while (this.#lines.length > 0 || this.#writing !== null) await this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#handle?.close();
    this.#handle = null;
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    const text = `${this.#torn ? '\n' : ''}${lines.join('\n')}\n`;
    const length = lines.reduce((sum, line) => sum + line.length + 1, 0);
    this.#lines = [];
    try {
      const handle = await this.#opened();
      // A full disk may take a part; `write` of the handle alone tells how much.
      for (let rest = Buffer.from(text); rest.length > 0;) {
        const { bytesWritten } = await handle.write(rest);
        rest = rest.subarray(bytesWritten);
        this.#torn = rest.length > 0;
      }
      this.#failing = false;
    } catch (error) {
      this.listener.dropped(lines.length);
      if (!this.#failing) this.listener.failing(error as Error);
      this.#failing = true;
    } finally {
      this.#waiting -= length;
    }
  }

  /** The file that is at the path now: the one that was opened may have been renamed. */
  async #opened(): Promise<FileHandle> {
    const before = this.#handle;
    if (before !== null) {
      // What is open may not even be looked at any more, as when a network disk was lost meanwhile (ESTALE).
      const [there, own] = await Promise.all([stat(this.path), before.stat()]).catch(() => []);
      if (there && there.ino === own?.ino && there.dev === own.dev) return before;
      this.#handle = null;
      await before.close();
    }
    this.#handle = await open(this.path, APPENDING);
    return this.#handle;
  }
}
