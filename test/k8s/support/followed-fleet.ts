import { performance } from 'node:perf_hooks';
import type { EngineSpec } from '../../../src/core/engine.js';
import type {
  KubernetesDiscovery,
  KubernetesDiscoveryOptions,
} from '../../../src/discovery/providers/kubernetes.discovery.js';

/** The discovery's settings in these tests. */
export const OPTIONS: KubernetesDiscoveryOptions = {
  k8sPort: 8000,
  k8sNamespace: 'default',
  k8sLabelSelector: 'app=vllm',
  k8sServiceDiscoveryType: 'pod-ip',
  k8sWatcherTimeoutSeconds: 0,
};

/** What was measured, printed at the end of a file. */
export class Figures {
  readonly #rows: string[] = [];

  constructor(private readonly title: string) {}

  add(event: string, ms: number, limitMs: number): void {
    this.#rows.push(`  ${event.padEnd(66)} ${ms.toFixed(0).padStart(6)} ms  (limit ${limitMs} ms)`);
  }

  print(): void {
    process.stdout.write(`\n${this.title}\n${this.#rows.join('\n')}\n`);
  }
}

/** A discovery and the set that it published last. */
export class FollowedFleet {
  engines: readonly EngineSpec[] = [];
  published = 0;

  constructor(
    readonly discovery: KubernetesDiscovery,
    private readonly figures: Figures,
  ) {}

  async start(): Promise<void> {
    await this.discovery.start((engines) => {
      this.engines = engines;
      this.published += 1;
    });
  }

  get urls(): string {
    return this.engines.map((engine) => engine.url.replace('http://', '')).join(' ');
  }

  /**
   * Does `change`, then waits until the engines are `wanted` (host:port, separated by spaces). The time
   * counts from before the change.
   * @throws {Error} when the limit has passed
   */
  async follows(
    event: string,
    wanted: string,
    change: () => Promise<unknown>,
    limitMs = 2_000,
  ): Promise<void> {
    const began = performance.now();
    await change();
    await this.until(event, () => this.urls === wanted, limitMs, began);
  }

  /** Waits until the status has this state and these words in its reason. */
  async says(
    event: string,
    state: string,
    words = '',
    limitMs = 2_000,
    began = performance.now(),
  ): Promise<void> {
    const holds = () => {
      const { status } = this.discovery;
      return status.state === state && (status.reason ?? '').includes(words);
    };
    await this.until(event, holds, limitMs, began);
  }

  async until(event: string, holds: () => boolean, limitMs: number, began: number): Promise<void> {
    while (!holds()) {
      if (performance.now() - began > limitMs) {
        const { state, reason } = this.discovery.status;
        throw new Error(`${event}: not within ${limitMs} ms; engines [${this.urls}], ${state}: ${reason}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    this.figures.add(event, performance.now() - began, limitMs);
  }
}
