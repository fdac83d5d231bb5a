import type { HealthState } from '../../src/core/health/health-state.js';

/** What each state means for requests, for those who point at it. */
const MEANING: Readonly<Record<HealthState, string>> = {
  ready: 'gets requests like any other',
  suspect: 'has failed a moment ago, and still gets requests',
  probing: 'one request at a time finds out whether it serves again',
  ejected: 'gets no requests for a while, since it has failed',
  asleep: 'says that it sleeps, and gets no requests',
  drained: 'an operator has taken it out; it ends the requests that it has',
  draining: 'has left the fleet, and ends the requests that it has',
  gone: 'is not of the fleet any more',
};

/** A state as colour, shape and word. */
export function HealthPill({ state }: { readonly state: HealthState }) {
  return (
    <span class={`pill is-${state}`} title={`${state}: ${MEANING[state]}`}>
      <span class="dot" aria-hidden="true" />
      {state}
    </span>
  );
}
