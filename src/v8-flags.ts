import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const V8_MAJOR = Number.parseInt(process.versions.v8, 10);

/**
 * From the start.
 *
 * The young generation stays as small as it is: it grows when much survives, and of what is made while modules are
 * loaded nearly all does; 32 MiB would stay resident in a process that has not served a request.
 *
 * Every object begins young. V8 otherwise learns where objects are made that outlive two collections, and makes those
 * of that place old at once. A thousand streams held open teach it that the state of a request is such an object. From
 * then on that of each short request is old, dead within a millisecond, and until the next full collection it keeps
 * alive all that it refers to: a tenth of all that is made under load is copied, and full collections follow each other
 * within seconds.
 *
 * The event loop's thread marks the old generation alone, a little at a time. Helpers that mark beside it take the cores
 * that the process has: where that is one, the event loop gets a fifth of it while they run, and with thousands of open
 * streams /health waits two to five times as long. V8 must not be marking when it is told, which so early it is not.
 */
export const START_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=1',
  '--no-allocation-site-pretenuring',
  '--no-concurrent-marking',
];

/**
 * When the start is over.
 *
 * V8's young generation grows from what it has at the start, 1 MiB, to 8 MiB at once and no further, and one thread
 * collects it. Nearly all that a request leaves behind is dead when the next collection comes: few collections of a
 * large young generation find little to copy, where many of a small one copy every request in flight, and helping
 * threads would spend more on meeting each other than the copying takes. A larger one would save little more, and
 * thousands of streams that begin at once would stop the event loop for longer, since all that is young and alive is
 * copied in one go.
 *
 * Functions keep their code when they have not been called for some collections, and where Node is older than 22 are
 * optimized after a third of the usual calls: a router with few requests a second would run half compiled code for
 * minutes. Newer ones have a compiler in between (Maglev) that takes over early, and no such flag.
 */
export const LOAD_FLAGS: readonly string[] = [
  '--no-parallel-scavenge',
  '--no-flush-bytecode',
  ...(V8_MAJOR < 12 ? ['--interrupt-budget=20000'] : []),
];

/** Before anything is loaded. V8 reads each flag when it decides what the flag is about; tests show that it does. */
export function setStartFlags(): void {
  for (const flag of START_FLAGS) setFlagsFromString(flag);
}

/** When the start is over. */
export function setLoadFlags(): void {
  for (const flag of LOAD_FLAGS) setFlagsFromString(flag);
  growYoungGeneration();
  new PerformanceObserver(limitYoungGeneration).observe({ entryTypes: ['gc'] });
}

/** Size of the young generation at which it stops growing, both of its halves, bytes. */
const YOUNG_ENOUGH = 16 * 1024 ** 2;

let growth = 0;

function youngSize(): number {
  return (
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? YOUNG_ENOUGH
  );
}

/**
 * Lets the young generation grow to 8 MiB and no further, and again once V8 has made it smaller in a quiet time. V8
 * takes a maximum when it starts, up to 64 MiB by version and machine, which only the command line of Node could
 * change; the factor of growth it reads with each collection.
 */
function limitYoungGeneration(): void {
  const wanted = Math.max(1, Math.floor(YOUNG_ENOUGH / youngSize()));
  if (wanted === growth) return;
  growth = wanted;
  setFlagsFromString(`--semi-space-growth-factor=${growth}`);
}

/**
 * Lets the young generation grow now, by objects that outlive some collections: in the first burst of requests it
 * would grow twice before anybody could look.
 */
function growYoungGeneration(): void {
  const alive: { made: number }[][] = [];
  limitYoungGeneration();
  for (let made = 0; made < 64 && youngSize() < YOUNG_ENOUGH; made++) {
    // About 0.5 MiB each; the last eight are alive.
    alive[made % 8] = Array.from({ length: 16_384 }, () => ({ made }));
  }
  limitYoungGeneration();
}
