import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { reasonOf } from '../config/settings-error.js';
import { readTextFile } from '../config/read-text-file.js';
import { Schedule } from '../scheduling/schedule.js';

/** What one look at the file found. */
export type FileSight = { readonly text: string; readonly hash: string } | { readonly unreadable: string };

export const contentHash = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Looks at one file on a period. Each look reads the content: a ConfigMap is updated by swapping a
 * symbolic link above the file, which neither a watch on the file nor its times show.
 */
@Injectable()
export class FileWatchService {
  readonly #log = new Logger(FileWatchService.name);
  readonly #schedule: Schedule;
  #path = '';
  #see: (sight: FileSight) => Promise<void> = async () => {};
  #looking: Promise<void> | null = null;

  constructor(schedulers: SchedulerRegistry) {
    this.#schedule = new Schedule(schedulers, 'dynamic file', () => void this.look());
  }

  /** Begins to look every `seconds`; the first time after one period. */
  follow(path: string, seconds: number, see: (sight: FileSight) => Promise<void>): void {
    this.#path = path;
    this.#see = see;
    this.#schedule.every(seconds);
  }

  /** Looks now, or waits for the look that is under way: looks never overlap. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** No look begins after the call; resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#schedule.stop();
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    try {
      await this.#see(await this.#read());
    } catch (error) {
      this.#log.error(`following ${this.#path} failed: ${reasonOf(error)}`);
    }
  }

  async #read(): Promise<FileSight> {
    try {
      const text = await readTextFile(this.#path);
      return { text, hash: contentHash(text) };
    } catch (error) {
      return { unreadable: `cannot be read: ${reasonOf(error)}` };
    }
  }
}
