import { setFlagsFromString } from 'node:v8';

/**
 * Let V8's young generation grow from 1 MiB to its maximum of 16 MiB at once, and have one thread collect it.
 * Nearly all that a request leaves behind is dead when the next collection comes: few collections of a large
 * young generation find little to copy, where many of a small one copy every request in flight, and helping
 * threads would spend more on meeting each other than the copying takes.
 */
export const YOUNG_GENERATION_FLAGS: readonly string[] = [
  '--semi-space-growth-factor=16',
  '--no-parallel-scavenge',
];

/** Sets them in a process that runs. V8 reads both at each collection; a test counts collections. */
export function growYoungGeneration(): void {
  for (const flag of YOUNG_GENERATION_FLAGS) setFlagsFromString(flag);
}
