// What is still there when nothing should be: every request has ended, all engines are good.
import { until } from '../show/processes.mjs';

/** How long it may take to be gone, milliseconds. */
const LIMIT_MS = 15_000;
/** Descriptors beyond those of the beginning, for each engine and in all: idle connections, and those of scrapes. */
const FOR_ENGINE = 2;
const FOR_ALL = 4;

/** @returns {Promise<string[]>} empty when all is well */
export async function leftBehind(router, engines) {
  if (router.process.ended !== null) return [`the router has ended: ${router.process.ended}`];
  let left = [];
  const look = async () => {
    const found = [];
    const { inFlight, bodyBytes } = await router.figures();
    for (const [name, count] of Object.entries(inFlight)) if (count !== 0) found.push(`${name} ${count}`);
    if (bodyBytes !== 0) found.push(`${bodyBytes} bytes of bodies`);
    for (const engine of engines) {
      // One that hung before it read a request never sees its connection close: the router's descriptors tell of that.
      const { running, waiting } = await engine.stats();
      if (running + waiting > 0) found.push(`engine ${engine.index}: ${running} run, ${waiting} wait`);
    }
    const more = router.moreDescriptors();
    if (more > FOR_ENGINE * engines.length + FOR_ALL) found.push(`${more} descriptors more than at first`);
    left = found;
    return found.length === 0;
  };
  await until('nothing is left', look, LIMIT_MS).catch((error) => {
    if (left.length === 0) left.push(error.message);
  });
  return left;
}
