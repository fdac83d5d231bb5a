import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * Milliseconds between two looks at the event loop. A longer stop is always seen, a shorter one by chance. Each look
 * wakes an idle process.
 */
const LOOK_MS = 50;

const FIGURES: readonly [name: string, of: (lags: RecordableHistogram) => number][] = [
  ['min', (lags) => lags.min],
  ['max', (lags) => lags.max],
  ['mean', (lags) => lags.mean],
  ['stddev', (lags) => lags.stddev],
  ['p50', (lags) => lags.percentile(50)],
  ['p90', (lags) => lags.percentile(90)],
  ['p99', (lags) => lags.percentile(99)],
];

/** The names in use, which are prom-client's. */
export const EVENT_LOOP_METRICS = FIGURES.map(([name]) => `nodejs_eventloop_lag_${name}_seconds`);

/**
 * How late the event loop was since the last scrape. In place of prom-client's, which count the time between two looks
 * as delay, do not see a stop that lasts from one scrape to the first look after it, show `Nan` when two scrapes follow
 * each other closely, and wake an idle process 100 times a second.
 */
export function collectEventLoopMetrics(registry: Registry): void {
  const lags = createHistogram();
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    // A histogram takes whole nanoseconds from 1.
    lags.record(Math.max(1, Math.round((now - last - LOOK_MS) * 1e6)));
    last = now;
  }, LOOK_MS).unref();

  const gauges = FIGURES.map(([what], at) => {
    const name = EVENT_LOOP_METRICS[at] as string;
    // The first of them reads for all, so that all tell of the same time.
    const collect = at === 0 ? read : undefined;
    const help = `How late the event loop was since the last scrape, ${what}, seconds.`;
    const gauge = new Gauge({ name, help, registers: [registry], ...(collect && { collect }) });
    gauge.remove();
    return gauge;
  });

  function read(): void {
    // Without a look since the last scrape, what it told still stands.
    if (lags.count === 0) return;
    FIGURES.forEach(([, of], at) => gauges[at]?.set(of(lags) / 1e9));
    lags.reset();
  }
}
