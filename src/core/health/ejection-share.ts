import type { Engine } from '../engine.js';
import type { EngineHealth } from './engine-health.js';
import { failsAtOnce } from './failure-rules.js';

type HealthOf = (engineId: string) => EngineHealth | undefined;

/**
 * Of `count` engines, how many may be out at most for causes that are no sure sign: the share, rounded down, but one
 * where there are two, since a share of less than two would spare an engine that fails everything. The only engine of
 * a model never is.
 */
export function mostOut(count: number, share: number): number {
  const most = Math.floor(share * count + 1e-9);
  return most === 0 && share > 0 && count > 1 ? 1 : most;
}

/** Whether one more of the engines that serve a model may be ejected for what is no sure sign. */
export function hasRoom(serving: readonly Engine[], share: number, healthOf: HealthOf): boolean {
  let out = 0;
  for (const { id } of serving) {
    const health = healthOf(id);
    if (health !== undefined && (health.out || health.asleep || health.drained)) out++;
  }
  return out < mostOut(serving.length, share);
}

/**
 * Those of `engines` that are worth a try most when none of them may be tried: first those that answered with errors,
 * then those that do not answer, then those that sleep, where requests wait. Never one that drains or that an operator
 * has taken out.
 * @param atOnce of those alone that tell at once if they still fail
 */
export function leastBad(engines: readonly Engine[], healthOf: HealthOf, atOnce: boolean): readonly Engine[] {
  const bad = ({ id }: Engine): number => {
    const health = healthOf(id);
    return atOnce && mayWait(health) ? Infinity : badnessOf(health);
  };
  const least = Math.min(...engines.map(bad));
  return least === Infinity ? [] : engines.filter((engine) => bad(engine) === least);
}

/** Whether a request would wait there. */
const mayWait = (health: EngineHealth | undefined): boolean =>
  health !== undefined && (health.asleep || (health.cause !== null && !failsAtOnce(health.cause)));

function badnessOf(health: EngineHealth | undefined): number {
  if (health === undefined) return 0;
  if (health.draining || health.drained) return Infinity;
  if (health.asleep) return 3;
  if (!health.out) return 0;
  return health.surelyOut ? 2 : 1;
}
