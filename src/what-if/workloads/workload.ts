import type { VirtualRequest, VirtualResult } from '../../simulator/virtual/virtual-request.js';

/** Requests as `simulate` takes them; both belong together and serve one run. */
export interface WorkloadRun {
  /** First turns of conversations, in order of arrival, without end: the run sets an end with `until`. */
  readonly arrivals: Iterable<VirtualRequest>;
  /** The next turn of the conversation that the result belongs to; null after its last one. */
  readonly follow?: (result: VirtualResult, now: number) => VirtualRequest | null;
}

/** A kind of traffic, in two numbers: its seed and its rate. */
export interface Workload {
  /** As in `--workload`. */
  readonly name: string;
  /** One sentence with its figures. */
  readonly description: string;
  /**
   * New conversations a second that eight `h100-8b` engines can just serve well: load 1. A request alone is a
   * conversation of one turn.
   */
  readonly rate: number;
  /**
   * Begins a run. The same seed gives the same conversations, whatever the rate, and the same seed and rate the
   * same arrivals; what the engines do only moves the later turns of a conversation in time.
   *
   * @param rate conversations a second, above 0
   * @throws RangeError for another rate
   */
  begin(seed: number, rate: number): WorkloadRun;
}
