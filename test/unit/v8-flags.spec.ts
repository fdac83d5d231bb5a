import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { START_FLAGS, LOAD_FLAGS } from '../../src/v8-flags.js';

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

/** MiB by which the old generation grows while 64 MiB of garbage are made, where much of the same lived long before. */
async function oldAfterHeld(flags: readonly string[]): Promise<number> {
  const script = `
    const v8 = require('node:v8');
    ${JSON.stringify(flags)}.forEach((flag) => v8.setFlagsFromString(flag));
    const old = () =>
      v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size / 2 ** 20;
    class Request {
      constructor(number) {
        this.headers = [number, number, number, number];
        this.engine = { url: number, tries: [number] };
      }
    }
    function serve(count, kept) {
      for (let number = 0; number < count; number++) kept[number % kept.length] = new Request(number);
    }
    for (let round = 0; round < 8; round++) serve(100_000, new Array(100_000));
    const before = old();
    serve(400_000, new Array(64));
    console.log(JSON.stringify(old() - before));
  `;
  // No full collection may take place in between: it would sweep what was made old in vain.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--initial-old-space-size=512',
    '-e',
    script,
  ]);
  return JSON.parse(stdout) as number;
}

/** Calls after which a function is optimized, and the share of code that is kept when nobody has called it. */
async function code(flags: readonly string[]): Promise<{ calls: number; kept: number }> {
  const script = `
    const v8 = require('node:v8');
    ${JSON.stringify(flags)}.forEach((flag) => v8.setFlagsFromString(flag));
    const size = () => v8.getHeapCodeStatistics().bytecode_and_metadata_size;
    const before = size();
    const seldom = Array.from({ length: 2_000 }, (_, n) => new Function('a', 'return [a, a + ' + n + ', ' + n + '];'));
    for (const call of seldom) call(1);
    const made = size() - before;
    gc();
    gc();
    const kept = (size() - before) / made;
    const often = (n) => (n > 3 ? { n, more: n + 2 } : { n, more: n - 1 });
    let calls = 0;
    const OPTIMIZED = 1 << 4;
    while (calls < 100_000 && !(%GetOptimizationStatus(often) & OPTIMIZED)) often(calls++);
    console.log(JSON.stringify({ calls, kept, all: seldom.length }));
  `;
  const told = [
    '--expose-gc',
    '--stress-flush-code',
    '--allow-natives-syntax',
    '--no-concurrent-recompilation',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [...told, '-e', script]);
  return JSON.parse(stdout) as { calls: number; kept: number };
}

describe('V8', () => {
  it('keeps the young generation small while what lives is loaded, and lets it grow under load', async () => {
    const [plain, ours] = await Promise.all([young([]), young(START_FLAGS, LOAD_FLAGS)]);
    expect(ours.afterStart * 2).toBeLessThan(plain.afterStart);
    expect(ours.atEnd).toBeGreaterThanOrEqual(ours.afterStart * 8);
  });

  it('collects it far less often under load with our flags', async () => {
    const [plain, ours] = await Promise.all([
      young(START_FLAGS, ['--semi-space-growth-factor=2']),
      young(START_FLAGS, LOAD_FLAGS),
    ]);
    expect(ours.collections).toBeGreaterThan(0);
    expect(ours.collections * 1.1).toBeLessThan(plain.collections);
  });

  it('still makes objects young after many of one place in the code have lived long', async () => {
    const [plain, ours] = await Promise.all([oldAfterHeld([]), oldAfterHeld(START_FLAGS)]);
    expect(plain).toBeGreaterThan(16);
    expect(ours).toBeLessThan(1);
  });

  it('optimizes after fewer calls, and keeps the code of what is seldom called', async () => {
    const [plain, ours] = await Promise.all([code([]), code(LOAD_FLAGS)]);
    expect(ours.calls * 2).toBeLessThan(plain.calls);
    expect(plain.kept).toBeLessThan(0.1);
    expect(ours.kept).toBeGreaterThan(0.3);
  });
});
