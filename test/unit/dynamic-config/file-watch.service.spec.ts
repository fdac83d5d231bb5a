import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import {
  contentHash,
  FileWatchService,
  type FileSight,
} from '../../../src/dynamic-config/file-watch.service.js';

describe('file watch', () => {
  let folder: string;
  let watch: FileWatchService;
  let sights: FileSight[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'watch-'));
    watch = new FileWatchService(new SchedulerRegistry());
    sights = [];
  });
  afterEach(async () => {
    await watch.stop();
    jest.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  const follow = (path: string): void => watch.follow(path, 3600, async (sight) => void sights.push(sight));
  const texts = (): (string | null)[] => sights.map((sight) => ('text' in sight ? sight.text : null));

  it('sees the symbolic link swap of a ConfigMap update', async () => {
    const version = (name: string, text: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'router.json'), text);
      // As kubelet does: a new link beside the old one, then an atomic rename over it.
      symlinkSync(name, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    version('..2025_01', 'one');
    symlinkSync('..data/router.json', join(folder, 'router.json'));
    follow(join(folder, 'router.json'));
    await watch.look();
    version('..2025_02', 'two');
    await watch.look();
    expect(texts()).toEqual(['one', 'two']);
    expect(sights[1]).toEqual({ text: 'two', hash: contentHash('two') });
  });

  it('tells of a missing, a vanished and a too large file in one line', async () => {
    const path = join(folder, 'f');
    follow(path);
    await watch.look();
    writeFileSync(path, 'x');
    await watch.look();
    unlinkSync(path);
    await watch.look();
    writeFileSync(path, 'x'.repeat(1024 * 1024 + 1));
    await watch.look();
    expect(texts()).toEqual([null, 'x', null, null]);
    expect(sights[0]).toEqual({ unreadable: expect.stringMatching(/^cannot be read: ENOENT.*$/) });
    expect(sights[3]).toEqual({ unreadable: 'cannot be read: it is larger than 1048576 bytes' });
  });

  it('never overlaps: a look during another one is that one', async () => {
    writeFileSync(join(folder, 'f'), 'x');
    let running = 0;
    let most = 0;
    let looks = 0;
    watch.follow(join(folder, 'f'), 3600, async () => {
      looks += 1;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    await Promise.all([watch.look(), watch.look(), watch.look()]);
    expect([looks, most]).toEqual([1, 1]);
    await watch.look();
    expect(looks).toBe(2);
  });

  it('looks every so many seconds until it is stopped', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const path = join(folder, 'f');
    writeFileSync(path, 'x');
    const seen = (): Promise<void> =>
      new Promise((resolve) => {
        watch.follow(path, 10, async (sight) => {
          sights.push(sight);
          resolve();
        });
      });
    const first = seen();
    jest.advanceTimersByTime(9_999);
    await watch.look();
    const before = sights.length;
    expect(before).toBe(1);
    await first;
    const second = seen();
    jest.advanceTimersByTime(1);
    await second;
    expect(sights).toHaveLength(2);
    await watch.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('outlives a listener that throws, and logs it', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    writeFileSync(join(folder, 'f'), 'x');
    let calls = 0;
    watch.follow(join(folder, 'f'), 3600, async () => {
      calls += 1;
      throw new Error('boom');
    });
    await expect(watch.look()).resolves.toBeUndefined();
    await watch.look();
    expect(calls).toBe(2);
    expect(errors).toHaveBeenCalledTimes(2);
    errors.mockRestore();
  });
});
