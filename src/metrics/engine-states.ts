import type { Engine } from '../core/engine.js';
import { type HealthState, STATES } from '../core/health/health-state.js';
import type { RequestFigures } from '../stats/request-figures.js';
import { labels, type MetricWriter } from './metric-writer.js';

/**
 * The state of each base URL that has engines in the fleet, or requests of one that has left. Of several engines at one
 * URL the one that serves best counts.
 */
export function statesByUrl(
  engines: readonly Engine[],
  figures: ReadonlyMap<string, RequestFigures>,
  stateOf: (engine: Engine) => HealthState,
): ReadonlyMap<string, HealthState> {
  const states = new Map<string, HealthState>();
  for (const engine of engines) {
    const [state, other] = [stateOf(engine), states.get(engine.url)];
    if (other === undefined || STATES.indexOf(state) < STATES.indexOf(other)) states.set(engine.url, state);
  }
  for (const [url, { running }] of figures) if (!states.has(url) && running > 0) states.set(url, 'draining');
  return states;
}

export function writeEngineStates(writer: MetricWriter, states: ReadonlyMap<string, HealthState>): void {
  writer.family(
    'vllm_router_engine_state',
    'gauge',
    'The health of each engine: 1 for the state that it is in.',
  );
  for (const [url, state] of states) {
    const engine = labels({ engine: url });
    for (const each of STATES) writer.sample(`${engine},state="${each}"`, each === state ? 1 : 0);
  }
}
