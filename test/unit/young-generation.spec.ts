import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SMALL_YOUNG_GENERATION_FLAGS, YOUNG_GENERATION_FLAGS } from '../../src/young-generation.js';

interface Seen {
  /** Young collections while 256 MiB of garbage are made around 2 MiB that live. */
  readonly collections: number;
  /** MiB of the young generation after 24 MiB have been made that live, and at the end. */
  readonly afterStart: number;
  readonly atEnd: number;
}

/** A process with the flags `first` while things are loaded, and `then` when it serves. */
async function young(first: readonly string[], then: readonly string[] = []): Promise<Seen> {
  const script = `
    const v8 = require('node:v8');
    const { PerformanceObserver, constants } = require('node:perf_hooks');
    const set = (flags) => flags.forEach((flag) => v8.setFlagsFromString(flag));
    const size = () =>
      v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
    set(${JSON.stringify(first)});
    const loaded = Array.from({ length: 48 * 1_024 }, (_, i) => new Array(64).fill(i));
    const afterStart = size();
    set(${JSON.stringify(then)});
    let collections = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections++;
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    const live = new Array(4_096);
    for (let i = 0; i < 512 * 1_024; i++) live[i % live.length] = new Array(64).fill(i);
    const atEnd = size();
    setTimeout(() => {
      console.log(JSON.stringify({ collections, afterStart, atEnd, kept: loaded.length }));
    }, 50);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  return JSON.parse(stdout) as Seen;
}

describe('the young generation', () => {
  it('stays small while what lives is loaded, and grows as soon as there is load', async () => {
    const [plain, ours] = await Promise.all([
      young([]),
      young(SMALL_YOUNG_GENERATION_FLAGS, YOUNG_GENERATION_FLAGS),
    ]);
    expect(ours.afterStart * 2).toBeLessThan(plain.afterStart);
    expect(ours.atEnd).toBeGreaterThanOrEqual(ours.afterStart * 8);
  });

  it('is collected far less often under load with our flags', async () => {
    const [plain, ours] = await Promise.all([
      young(SMALL_YOUNG_GENERATION_FLAGS, ['--semi-space-growth-factor=2']),
      young(SMALL_YOUNG_GENERATION_FLAGS, YOUNG_GENERATION_FLAGS),
    ]);
    expect(ours.collections).toBeGreaterThan(0);
    expect(ours.collections * 1.1).toBeLessThan(plain.collections);
  });
});
