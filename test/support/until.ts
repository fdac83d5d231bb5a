import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when `check` holds; for what tells of itself by no event. The test's own time limit ends it. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(5);
}
