import { setFlagsFromString } from 'node:v8';

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
 */
export const START_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=1',
  '--no-allocation-site-pretenuring',
];

/**
 * When the start is over.
 *
 * V8's young generation grows from what it has at the start, 1 MiB, to its maximum of 16 MiB at once, and one thread
 * collects it. Nearly all that a request leaves behind is dead when the next collection comes: few collections of a
 * large young generation find little to copy, where many of a small one copy every request in flight, and helping
 * threads would spend more on meeting each other than the copying takes.
 *
 * Functions are optimized after a third of the usual calls, and keep their code when they have not been called for
 * some collections: a router with few requests a second would run half compiled code for minutes.
 */
export const LOAD_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=16',
  '--no-parallel-scavenge',
  '--interrupt-budget=20000',
  '--no-flush-bytecode',
];

/** Before anything is loaded. V8 reads each flag when it decides what the flag is about; tests show that it does. */
export function setStartFlags(): void {
  for (const flag of START_FLAGS) setFlagsFromString(flag);
}

/** When the start is over. */
export function setLoadFlags(): void {
  for (const flag of LOAD_FLAGS) setFlagsFromString(flag);
}
