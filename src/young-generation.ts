import { setFlagsFromString } from 'node:v8';

/**
 * From the start. The first keeps the young generation as small as it is: it grows when much survives, and of what is
 * made while modules are loaded nearly all does; 32 MiB would stay resident in a process that has not served a request.
 *
 * The second lets every object begin young. V8 otherwise learns where objects are made that outlive two collections,
 * and makes those of that place old at once. A thousand streams held open teach it that the state of a request is such
 * an object. From then on that of each short request is old, dead within a millisecond, and until the next full
 * collection it keeps alive all that it refers to: a tenth of all that is made under load is copied, and full
 * collections follow each other within a second.
 */
export const START_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=1',
  '--no-allocation-site-pretenuring',
];

/**
 * When the start is over. Let V8's young generation grow from what it has at the start, 1 MiB, to its maximum of 16 MiB
 * at once, and have one thread collect it. Nearly all that a request leaves behind is dead when the next collection
 * comes: few collections of a large young generation find little to copy, where many of a small one copy every request
 * in flight, and helping threads would spend more on meeting each other than the copying takes.
 */
export const LOAD_FLAGS: readonly string[] = ['--semi-space-growth-factor=16', '--no-parallel-scavenge'];

/** Before anything is loaded. V8 reads the flags at each collection. */
export function keepYoungGenerationSmall(): void {
  for (const flag of START_FLAGS) setFlagsFromString(flag);
}

/** When the start is over: the first load makes it grow. V8 reads the flags at each collection; a test counts them. */
export function growYoungGeneration(): void {
  for (const flag of LOAD_FLAGS) setFlagsFromString(flag);
}
