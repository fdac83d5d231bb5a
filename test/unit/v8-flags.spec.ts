import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { START_FLAGS, LOAD_FLAGS } from '../../src/v8-flags.js';

const BUILT = new URL('../../dist/v8-flags.js', import.meta.url).href;

/** MiB of the young generation after 24 MiB have been made that live, when the start is over, and after bursts. */
async function young(): Promise<{ loaded: number; begun: number; bursts: number[] }> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setImmediate } from 'node:timers/promises';
    import { setStartFlags, setLoadFlags } from ${JSON.stringify(BUILT)};
    const size = () =>
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
    setStartFlags();
    const kept = Array.from({ length: 48 * 1_024 }, (_, i) => new Array(64).fill(i));
    const loaded = size();
    setLoadFlags();
    const begun = size();
    const bursts = [];
    for (let burst = 0; burst < 3; burst++) {
      const live = new Array(64 * 1_024);
      for (let i = 0; i < 256 * 1_024; i++) {
        live[i % live.length] = new Array(64).fill(i);
        if (i % 4_096 === 0) await setImmediate();
      }
      bursts.push(size());
    }
    console.log(JSON.stringify({ loaded, begun, bursts, kept: kept.length }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as { loaded: number; begun: number; bursts: number[] };
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

/** Milliseconds for which other threads marked for the last full collection of a heap that grows. */
async function markedByOthers(flags: readonly string[]): Promise<number> {
  const script = `
    ${JSON.stringify(flags)}.forEach((flag) => require('node:v8').setFlagsFromString(flag));
    const kept = [];
    for (let n = 0; n < 1_500_000; n++) kept.push({ n, more: [n] });
    console.log(kept.length);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--trace-gc-nvp', '-e', script]);
  const told = [...stdout.matchAll(/ gc=mc .*?background\.mark=([\d.]+)/g)].map(([, ms]) => Number(ms));
  return told.at(-1)!;
}

describe('V8', () => {
  it('keeps the young generation small while what lives is loaded, then lets it grow once and no further', async () => {
    const { loaded, begun, bursts } = await young();
    expect(loaded).toBeLessThanOrEqual(4);
    expect(begun).toBeGreaterThanOrEqual(8);
    for (const size of [begun, ...bursts]) expect(size).toBeLessThanOrEqual(16);
    expect(bursts.at(-1)).toBeGreaterThanOrEqual(8);
  });

  it('knows all of our flags', async () => {
    const set = JSON.stringify([...START_FLAGS, ...LOAD_FLAGS]);
    const script = `${set}.forEach((flag) => require('node:v8').setFlagsFromString(flag))`;
    const { stderr } = await promisify(execFile)(process.execPath, ['-e', script]);
    expect(stderr).toBe('');
  });

  it('lets no other thread mark while the event loop runs', async () => {
    const [plain, ours] = await Promise.all([markedByOthers([]), markedByOthers(START_FLAGS)]);
    expect(plain).toBeGreaterThan(0);
    expect(ours).toBe(0);
  });

  it('still makes objects young after many of one place in the code have lived long', async () => {
    const [plain, ours] = await Promise.all([oldAfterHeld([]), oldAfterHeld(START_FLAGS)]);
    expect(plain).toBeGreaterThan(4);
    expect(ours).toBeLessThan(1);
  });

  it('optimizes after fewer calls where V8 can be told so, and keeps the code of what is seldom called', async () => {
    const [plain, ours] = await Promise.all([code([]), code(LOAD_FLAGS)]);
    // Newer versions have no such flag.
    const sooner = Number.parseInt(process.versions.v8, 10) < 12 ? 2 : 1;
    expect(ours.calls * sooner).toBeLessThanOrEqual(plain.calls);
    expect(plain.kept).toBeLessThan(0.1);
    expect(ours.kept).toBeGreaterThan(0.3);
  });
});
