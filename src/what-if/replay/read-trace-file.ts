import { readFileSync } from 'node:fs';
import { readTrace, type Trace } from './trace.js';

/** The file read last: all runs of a thread replay the same one. */
let last: { readonly path: string; readonly trace: Trace } | null = null;

/** @throws {Error} when it cannot be read or has nothing to replay */
export function readTraceFile(path: string): Trace {
  if (last?.path !== path) last = { path, trace: readTrace(readFileSync(path, 'utf8')) };
  return last.trace;
}
