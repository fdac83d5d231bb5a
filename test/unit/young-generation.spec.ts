import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { YOUNG_GENERATION_FLAGS } from '../../src/young-generation.js';

/** Young collections in a process that makes 256 MiB of garbage around 2 MiB that live. */
async function collections(flags: readonly string[]): Promise<number> {
  const script = `
    const { setFlagsFromString } = require('node:v8');
    const { PerformanceObserver, constants } = require('node:perf_hooks');
    for (const flag of ${JSON.stringify(flags)}) setFlagsFromString(flag);
    let count = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) count++;
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    const live = new Array(4_096);
    for (let i = 0; i < 512 * 1_024; i++) live[i % live.length] = new Array(64).fill(i);
    setTimeout(() => { console.log(count); }, 50);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  return Number(stdout);
}

describe('the young generation', () => {
  it('is collected far less often with our flags', async () => {
    const [before, after] = await Promise.all([collections([]), collections(YOUNG_GENERATION_FLAGS)]);
    expect(after).toBeGreaterThan(0);
    expect(after * 1.2).toBeLessThan(before);
  });
});
