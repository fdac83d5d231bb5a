import type { Engine } from '../engine.js';
import { EngineHealth } from './engine-health.js';

/** What is kept of an engine of which there is something to remember. */
export interface KeptHealth {
  engine: Engine;
  readonly health: EngineHealth;
  /** It gets fewer requests than others, or none. */
  limited: boolean;
  draining: boolean;
  /** Until then there is no room to eject it. */
  deniedUntil: number;
  /** Another process waits for an answer of it. */
  watched: boolean;
}

export const keptHealth = (engine: Engine): KeptHealth => ({
  engine,
  health: new EngineHealth(),
  limited: false,
  draining: false,
  deniedUntil: -Infinity,
  watched: false,
});
