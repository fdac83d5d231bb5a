import { Counter, Gauge, type Registry } from 'prom-client';
import type { WorkerCounts } from '../operations/workers-report.js';

/** Shows how many workers serve, and how many were started in place of others. */
export function registerWorkerMetrics(registry: Registry, counts: () => WorkerCounts): void {
  const running: Gauge = new Gauge({
    name: 'vllm_router_workers',
    help: 'Processes that serve the port now.',
    registers: [registry],
    collect: () => running.set(counts().running),
  });
  const restarts: Counter = new Counter({
    name: 'vllm_router_worker_restarts_total',
    help: 'Times a worker was started in place of one that had ended.',
    registers: [registry],
    collect: () => {
      restarts.reset();
      restarts.inc(counts().restarts);
    },
  });
}
