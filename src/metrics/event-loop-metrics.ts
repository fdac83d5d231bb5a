import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const NANOSECONDS = 1e9;

const FIGURES: readonly [name: string, of: (delays: IntervalHistogram) => number][] = [
  ['min', (delays) => delays.min],
  ['max', (delays) => delays.max],
  ['mean', (delays) => delays.mean],
  ['stddev', (delays) => delays.stddev],
  ['p50', (delays) => delays.percentile(50)],
  ['p90', (delays) => delays.percentile(90)],
  ['p99', (delays) => delays.percentile(99)],
];

/** The names in use, which are prom-client's. */
export const EVENT_LOOP_METRICS = FIGURES.map(([name]) => `nodejs_eventloop_lag_${name}_seconds`);

/**
 * Delays of the event loop since the last scrape. In place of prom-client's, which show `Nan` and a
 * minimum of 292 years when two scrapes follow each other closely.
 */
export function collectEventLoopMetrics(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const gauges = FIGURES.map(([what], at) => {
    const name = EVENT_LOOP_METRICS[at] as string;
    // The first of them reads for all, so that all tell of the same time.
    const collect = at === 0 ? read : undefined;
    const help = `Delay of the event loop since the last scrape, ${what}, seconds.`;
    const gauge = new Gauge({ name, help, registers: [registry], ...(collect && { collect }) });
    gauge.remove();
    return gauge;
  });

  function read(): void {
    // Without a delay since the last scrape, what it told still stands.
    if (delays.count === 0) return;
    FIGURES.forEach(([, of], at) => gauges[at]?.set(of(delays) / NANOSECONDS));
    delays.reset();
  }
}
