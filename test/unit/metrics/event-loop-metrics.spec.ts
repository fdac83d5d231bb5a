import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { collectEventLoopMetrics } from '../../../src/metrics/event-loop-metrics.js';

const valueOf = async (registry: Registry, what: string): Promise<number | undefined> => {
  const metric = registry.getSingleMetric(`nodejs_eventloop_lag_${what}_seconds`);
  return (await metric?.get())?.values[0]?.value;
};

/** Reads until there is a value: a look has taken place, and was read. */
async function looked(registry: Registry): Promise<void> {
  while ((await valueOf(registry, 'min')) === undefined) await sleep(5);
}

describe('the lag of the event loop', () => {
  it('is the time of a stop, without the time between two looks', async () => {
    const registry = new Registry();
    collectEventLoopMetrics(registry);
    await looked(registry);
    const began = performance.now();
    while (performance.now() - began < 250);
    // The look that was due in the stop takes place before this timer.
    await sleep(1);
    await registry.metrics();
    const max = (await valueOf(registry, 'max')) ?? 0;
    expect(max).toBeGreaterThan(0.15);
    expect(max).toBeLessThan((performance.now() - began) / 1000);
    expect((await valueOf(registry, 'min')) ?? 1).toBeLessThan(max);
  });
});
