import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8's young generation grow from 1 MiB to its maximum of 16 MiB at once, and collects it in one thread.
 * Nearly all that a request leaves behind is dead when the next collection comes: few collections of a large
 * young generation find little to copy, where many of a small one copy every request in flight, and helping
 * threads would spend more on meeting each other than the copying takes.
 *
 * V8 reads both flags at each collection, so they take effect after the start. A test counts collections.
 */
export function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=16');
  setFlagsFromString('--no-parallel-scavenge');
}
