import { PROFILES } from '../../simulator/model/engine-profile.js';
import type { Cell } from '../cells/cell.js';
import { WORKLOADS } from '../workloads/index.js';
import type { SimulateArguments } from './simulate-arguments.js';

/** Engines for which the rates of the workloads are meant. */
const USUAL_ENGINES = 8;

/** Runs of one traffic, the seeds of each policy in a row. */
export interface PlannedTraffic {
  readonly title: string;
  readonly workload: string;
  readonly cells: readonly Cell[];
}

/**
 * The runs that the flags ask for, all policies under the same arrivals.
 * @param replaySeconds length of the replay as it was recorded; 0 without one
 */
export function plannedTraffics(wanted: SimulateArguments, replaySeconds = 0): PlannedTraffic[] {
  const { engines, profile, load, replay } = wanted;
  const fleet = `${engines} engines on ${profile}`;
  if (replay !== null) {
    const seconds = Math.max(1, Math.ceil(replaySeconds / load));
    const title = `${replay}, ${load === 1 ? 'as recorded' : `${load} times as fast`}, ${fleet}`;
    const warmUp = wanted.warmUp ?? 0;
    const rest = { seconds: wanted.seconds ?? Math.max(1, seconds - warmUp + 1), warmUp, replay };
    return [
      { title, workload: 'replay', cells: cellsOf(wanted, { workload: 'replay', rate: load, ...rest }) },
    ];
  }
  return WORKLOADS.filter(({ name }) => wanted.workloads.includes(name)).map(({ name, rate: usual }) => {
    const rate = wanted.rate ?? (usual * load * engines) / USUAL_ENGINES;
    return {
      title: `${name}, ${Number(rate.toPrecision(4))} conversations/s, ${fleet}`,
      workload: name,
      cells: cellsOf(wanted, {
        ...{ workload: name, rate, seconds: wanted.seconds ?? 160, warmUp: wanted.warmUp ?? 60 },
      }),
    };
  });
}

type Traffic = Pick<Cell, 'workload' | 'rate' | 'seconds' | 'warmUp' | 'replay'>;

function cellsOf(wanted: SimulateArguments, traffic: Traffic): Cell[] {
  const { policies, seeds, engines, profile, targets, routers, share } = wanted;
  const fleet = Array.from({ length: engines }, () => PROFILES[profile]);
  return policies.flatMap((policy) =>
    Array.from({ length: seeds }, (_, index) => ({
      ...{ policy, seed: index + 1, engines: fleet, targets, routers, share },
      ...traffic,
    })),
  );
}
