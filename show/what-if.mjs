// Runs of strategies on simulated engines, for the shows.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT } from './processes.mjs';

const part = async (path) => import(join(ROOT, 'dist', path));

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The 95 % interval of the difference, seed by seed. */
export async function paired(ours, theirs) {
  const { pairedInterval } = await part('what-if/interval.js');
  return pairedInterval(ours, theirs);
}

/** A profile with some of its numbers so many times as large; whole ones stay whole. */
export function scaled(profile, factors) {
  const changed = Object.entries(factors).map(([key, factor]) => {
    const value = profile[key] * factor;
    return [key, Number.isInteger(profile[key]) ? Math.round(value) : value];
  });
  return { ...profile, ...Object.fromEntries(changed) };
}

/** Profiles of `count` engines on h100-8b, each as `changed` makes it. */
export async function fleetOf(count, changed = (profile) => profile) {
  const { PROFILES } = await part('simulator/model/engine-profile.js');
  return Array.from({ length: count }, (_, index) => changed(PROFILES['h100-8b'], index));
}

/** Runs of each policy, one for each seed, under the same arrivals: `{ policy: [figures] }`. */
export async function policyCells({ policies, seeds, ...cell }) {
  const { runCells } = await part('what-if/cells/run-cells.js');
  const common = { seconds: 160, warmUp: 60, targets: { ttft: 2, tpot: 0.05 }, ...cell };
  const cells = policies.flatMap((policy) =>
    Array.from({ length: seeds }, (_, seed) => ({ ...common, policy, seed: seed + 1 })),
  );
  const figures = await runCells(cells, availableParallelism());
  if (process.stderr.isTTY) process.stderr.write('.');
  return Object.fromEntries(
    policies.map((policy) => [policy, figures.filter((_, at) => cells[at].policy === policy)]),
  );
}

/** The workloads of these names, with commas between them; all without. */
export async function workloadsNamed(names) {
  const { WORKLOADS } = await part('what-if/workloads/index.js');
  const wanted = names?.split(',');
  return WORKLOADS.filter(({ name }) => wanted?.includes(name) ?? true);
}
