/**
 * `ready`: as any other. `suspect`: has failed a moment ago, and still gets requests. `ejected`: gets none.
 * `probing`: its time is over, one request at a time may find out whether it serves again. `asleep`: says so.
 * `drained`: an operator has taken it out, it gets no new requests and keeps those that it has. `draining`: has left the
 * fleet, ends the requests that it has. `gone`: neither of the fleet nor with requests.
 */
export type HealthState =
  'ready' | 'suspect' | 'ejected' | 'probing' | 'asleep' | 'drained' | 'draining' | 'gone';

/** The states of engines that are there, from the best to the worst for a request. */
export const STATES: readonly HealthState[] = [
  'ready',
  'suspect',
  'probing',
  'ejected',
  'asleep',
  'drained',
  'draining',
];

/** Whether an engine in this state takes new requests, be it one at a time. */
export const isUsable = (state: HealthState): boolean =>
  state === 'ready' || state === 'suspect' || state === 'probing';
