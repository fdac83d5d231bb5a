import { setFlagsFromString } from 'node:v8';

/**
 * Let V8's young generation grow from what it has at the start, 1 MiB, to its maximum of 16 MiB at once, and have one
 * thread collect it. Nearly all that a request leaves behind is dead when the next collection comes: few collections of
 * a large young generation find little to copy, where many of a small one copy every request in flight, and helping
 * threads would spend more on meeting each other than the copying takes.
 */
export const YOUNG_GENERATION_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=16',
  '--no-parallel-scavenge',
];

/**
 * Keep the young generation as small as it is. It grows when much survives, and of what is made while modules
 * are loaded nearly all does: 32 MiB would stay resident in a process that has not served a request.
 */
export const SMALL_YOUNG_GENERATION_FLAGS: readonly string[] = ['--semi-space-growth-factor=1'];

/** For the time of the start, before anything is loaded. V8 reads the flag at each collection. */
export function keepYoungGenerationSmall(): void {
  for (const flag of SMALL_YOUNG_GENERATION_FLAGS) setFlagsFromString(flag);
}

/** When the start is over: the first load makes it grow. V8 reads both at each collection; a test counts collections. */
export function growYoungGeneration(): void {
  for (const flag of YOUNG_GENERATION_FLAGS) setFlagsFromString(flag);
}
