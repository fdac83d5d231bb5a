import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { collectEventLoopMetrics, EVENT_LOOP_METRICS } from './event-loop-metrics.js';
import { HostUsage } from './host-usage.js';

/**
 * prom-client's own figures that are left out: those that list every handle or descriptor on the event
 * loop at each scrape, gauges whose names end in `_total`, which a gauge's name must not, and what
 * `event-loop-metrics` has instead.
 */
const LEFT_OUT = [
  'process_open_fds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  ...EVENT_LOOP_METRICS,
];

/** prom-client's own watch of the event loop cannot be left out: a look in a day, milliseconds, costs nothing. */
const SELDOM = 24 * 3600 * 1000;

interface ProcessMetrics {
  readonly registry: Registry;
  readonly usage: HostUsage;
}

let ofThisProcess: ProcessMetrics | null = null;

/**
 * `process_*`, `nodejs_*` and the host's usage. One for the process, whatever number of routers it holds:
 * the observers behind them cannot be taken away again. Never prom-client's global registry, which
 * belongs to the application around the router.
 */
export function processMetrics(): ProcessMetrics {
  if (ofThisProcess) return ofThisProcess;
  const registry = new Registry();
  const usage = new HostUsage();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: SELDOM });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  collectEventLoopMetrics(registry);

  const gauge = (name: string, help: string, read: () => number | null): void => {
    const made = new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const value = read();
        if (value !== null) made.set(value);
        else made.remove();
      },
    });
  };
  gauge('process_open_fds', 'Number of open file descriptors.', () => usage.openFiles());
  gauge(
    'router_cpu_usage_percent',
    "Share of the host's processor time in use since the last scrape, percent.",
    () => usage.cpuPercent(),
  );
  gauge('router_memory_usage_percent', "Share of the host's memory in use, percent.", () =>
    usage.memoryPercent(),
  );
  gauge('router_disk_usage_percent', "Share of the host's root file system in use, percent.", () =>
    usage.diskPercent(),
  );
  return (ofThisProcess = { registry, usage });
}
