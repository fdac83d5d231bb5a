import type { EngineMetrics } from '../metrics/engine-metrics.js';
import type { StepDriver } from './step-driver.js';

/** What a pause or a sleep does with requests in flight: ends them, lets them end, or freezes them. */
export type PauseMode = 'abort' | 'wait' | 'keep';

export const PAUSE_MODES: readonly PauseMode[] = ['abort', 'wait', 'keep'];

/**
 * Pause and sleep. While either is on, new requests are held outside of the engine, where no gauge shows them, and
 * /health stays 200. No metric tells of a pause.
 */
export class EngineSwitches {
  #paused = false;
  #sleepLevel: 0 | 1 | 2 = 0;

  constructor(
    private readonly driver: StepDriver,
    private readonly metrics: EngineMetrics,
  ) {}

  get paused(): boolean {
    return this.#paused;
  }

  get asleep(): boolean {
    return this.#sleepLevel > 0;
  }

  /** Resolves once no request runs any more, or at once for `keep`. */
  async pause(mode: PauseMode): Promise<void> {
    this.#paused = true;
    await this.#stop(mode);
  }

  resume(): void {
    this.#paused = false;
    this.#goOn();
  }

  async sleep(level: 1 | 2, mode: PauseMode): Promise<void> {
    this.#sleepLevel = level;
    await this.#stop(mode);
    this.metrics.sleepLevel = this.#sleepLevel;
    this.metrics.observeSleep('sleep', 0);
    if (!this.driver.model.stepping) this.driver.model.resetPrefixCache();
  }

  wake(): void {
    this.#sleepLevel = 0;
    this.metrics.sleepLevel = 0;
    this.metrics.observeSleep('wake', 0);
    this.#goOn();
  }

  async #stop(mode: PauseMode): Promise<void> {
    this.driver.hold();
    if (mode === 'abort') this.driver.endAll('abort');
    else if (mode === 'keep') this.driver.freeze();
    else await this.driver.whenEmpty();
  }

  #goOn(): void {
    if (this.paused || this.asleep) return;
    this.driver.thaw();
    this.driver.admit();
  }
}
