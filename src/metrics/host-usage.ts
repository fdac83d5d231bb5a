import { readdir, statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';

/** What `HostUsage` reads; replaced in tests. */
export interface HostSources {
  /** Busy and all time of the host's processors since it began, any unit. */
  cpuTimes(): { busy: number; all: number };
  /** Bytes. */
  memory(): { free: number; all: number };
  /** Blocks of the root file system: used, and free for programs without privileges. */
  disk(): Promise<{ used: number; available: number }>;
  /** Open file descriptors of this process; null where the system does not tell. */
  openFiles(): Promise<number | null>;
}

const HOST: HostSources = {
  cpuTimes() {
    let all = 0;
    let idle = 0;
    for (const { times } of cpus()) {
      all += times.user + times.nice + times.sys + times.irq + times.idle;
      idle += times.idle;
    }
    return { busy: all - idle, all };
  },
  memory: () => ({ free: freemem(), all: totalmem() }),
  async disk() {
    const { blocks, bfree, bavail } = await statfs('/');
    return { used: blocks - bfree, available: bavail };
  },
  openFiles: async () => (process.platform === 'linux' ? (await readdir('/proc/self/fd')).length - 1 : null),
};

/**
 * How much of the host is in use, percent of the whole, as the original's `router_*_usage_percent` say
 * it. Reading never waits: the processors' figure is the share since the reading before, those of disk
 * and files are what the last look found, and each reading starts the next look.
 */
export class HostUsage {
  readonly #host: HostSources;
  #before: { busy: number; all: number };
  #cpu: number | null = null;
  #disk: number | null = null;
  #openFiles: number | null = null;
  #look: Promise<void> | null = null;

  constructor(host: HostSources = HOST) {
    this.#host = host;
    this.#before = host.cpuTimes();
    void this.look();
  }

  /** Null until processor time has passed. */
  cpuPercent(): number | null {
    const now = this.#host.cpuTimes();
    const all = now.all - this.#before.all;
    if (all > 0) {
      this.#cpu = percent(now.busy - this.#before.busy, all);
      this.#before = now;
    }
    return this.#cpu;
  }

  memoryPercent(): number | null {
    const { free, all } = this.#host.memory();
    return all > 0 ? percent(all - free, all) : null;
  }

  /** Null until the first look is back. */
  diskPercent(): number | null {
    void this.look();
    return this.#disk;
  }

  /** Null until the first look is back. */
  openFiles(): number | null {
    void this.look();
    return this.#openFiles;
  }

  /** Looks at disk and files; at most one look is under way, and none fails loudly. */
  look(): Promise<void> {
    this.#look ??= this.#lookNow().finally(() => (this.#look = null));
    return this.#look;
  }

  async #lookNow(): Promise<void> {
    const [disk, files] = await Promise.allSettled([this.#host.disk(), this.#host.openFiles()]);
    if (disk.status === 'fulfilled') {
      const { used, available } = disk.value;
      this.#disk = used + available > 0 ? percent(used, used + available) : null;
    }
    if (files.status === 'fulfilled') this.#openFiles = files.value;
  }
}

function percent(part: number, all: number): number {
  return Math.min(Math.max((part / all) * 100, 0), 100);
}
