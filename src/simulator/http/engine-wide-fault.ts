import type { EngineState } from './engine-state.js';
import type { Fault } from './fault.js';

/** Applies what a fault does to the engine as a whole, and takes back what the one before did. */
export class EngineWideFault {
  #paused = false;
  #death: NodeJS.Timeout | null = null;

  /** @param die ends the engine where it stands */
  constructor(
    private readonly state: EngineState,
    private readonly die: () => void,
  ) {}

  apply(fault: Fault | null): void {
    const { driver, switches } = this.state;
    driver.slowdown = fault?.slow ?? 1;
    this.#freeze(fault?.frozen === true);
    const paused = fault?.paused === true;
    if (paused && !this.#paused) void switches.pause('keep');
    if (!paused && this.#paused) switches.resume();
    this.#paused = paused;
    if (this.#death !== null) clearTimeout(this.#death);
    this.#death = null;
    if (fault?.dying === undefined) return;
    driver.failAll();
    this.#death = setTimeout(() => this.die(), fault.dying);
    this.#death.unref();
  }

  #freeze(frozen: boolean): void {
    const { state } = this;
    if (frozen === (state.frozenMetrics !== null)) return;
    if (frozen) {
      state.frozenMetrics = state.metricsText();
      state.driver.freeze();
    } else {
      state.frozenMetrics = null;
      if (!state.switches.paused && !state.switches.asleep) state.driver.thaw();
    }
  }
}
