// One clock for all processes of a show: CLOCK_MONOTONIC, which Linux and macOS count for the whole machine.
import process from 'node:process';

/** Microseconds on a clock that all processes of this machine share. */
export function nowMicros() {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + Math.round(nanos / 1e3);
}
