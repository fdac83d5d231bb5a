import { hashText } from '../../core/hash.js';
import type { VirtualRequest } from '../../simulator/virtual/virtual-request.js';
import { SIMULATED_MODEL } from '../runner/simulated-fleet.js';
import type { WorkloadRun } from '../workloads/workload.js';
import type { Trace, TracedRequest } from './trace.js';

/**
 * A trace as traffic of an open loop: requests come when they came, whatever became of those before them. Prompts
 * have the blocks that the trace names and text of their own behind; of answers a trace says nothing but the length.
 *
 * @param speed how much faster than recorded, above 0
 */
export function replayOf(trace: Trace, speed: number): WorkloadRun {
  if (!(speed > 0)) throw new RangeError(`the speed is ${speed}, not above 0`);
  return { arrivals: requestsOf(trace, speed) };
}

function* requestsOf({ requests, blockTokens }: Trace, speed: number): Generator<VirtualRequest> {
  for (const [id, request] of requests.entries()) {
    yield {
      id,
      arrival: request.at / speed,
      session: request.session,
      spec: {
        promptTokens: promptOf(request, blockTokens, id),
        cacheKey: SIMULATED_MODEL,
        adapter: null,
        maxTokens: request.outputTokens,
      },
    };
  }
}

function promptOf({ promptTokens, blocks }: TracedRequest, blockTokens: number, id: number): Int32Array {
  const tokens = new Int32Array(promptTokens);
  let at = 0;
  for (const name of blocks) {
    const end = Math.min(promptTokens, at + blockTokens);
    write(tokens, at, end, `block ${name}`);
    at = end;
  }
  write(tokens, at, promptTokens, `request ${id}`);
  return tokens;
}

/** Tokens that follow from `text` and their place in it alone. */
function write(into: Int32Array, from: number, to: number, text: string): void {
  const { high, low } = hashText(text);
  for (let at = from; at < to; at++) {
    let mixed = Math.imul(low ^ Math.imul(at - from + 1, 0x9e3779b1), 0x85ebca6b) ^ high;
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
    into[at] = (mixed ^ (mixed >>> 13)) >>> 17;
  }
}
