import type { AttemptCause } from '../attempt-failure.js';

/**
 * Why an engine is thought to be ill. Two more than attempts have come from probes of `/health`: `unhealthy` is an
 * answer of 500 or more, `unreachable` is none at all, or nothing in time, where nobody has refused.
 */
export type HealthCause = AttemptCause | 'unhealthy' | 'unreachable';

/** What shows that an engine lives. `contact`: it speaks HTTP. `output`: it has computed an answer. */
export type Proof = 'contact' | 'output';

/** What one cause says of its engine. */
export interface FailureRule {
  /**
   * `sure`: nobody can be served there now, so it is ejected at once, whatever the others are. `once`: at once too, but
   * within the share of engines that may be ejected. `counts`: after a few. `none`: says nothing of the engine.
   */
  readonly weight: 'sure' | 'once' | 'counts' | 'none';
  /** What ends an ejection. An engine that is frozen, drains or has lost its core still answers `/health` with 200. */
  readonly cure: Proof;
}

const rule = (weight: FailureRule['weight'], cure: Proof): FailureRule => ({ weight, cure });

/**
 * The rule of each cause. A cause that a client can bring about by what it asks for (`http_5xx`, timeouts) is never a
 * sure sign; one by which nothing is known of the engine (its queue is full, the time of the request is over, the
 * router has no socket left) counts for nothing.
 */
export const FAILURE_RULES: Readonly<Record<HealthCause, FailureRule>> = {
  refused: rule('sure', 'contact'),
  dead: rule('sure', 'contact'),
  unhealthy: rule('sure', 'contact'),
  draining: rule('sure', 'output'),
  engine_dead: rule('sure', 'output'),
  stalled: rule('once', 'output'),
  unresolved: rule('counts', 'contact'),
  connect_timeout: rule('counts', 'contact'),
  tls: rule('counts', 'contact'),
  unreachable: rule('counts', 'contact'),
  reset: rule('counts', 'output'),
  garbage: rule('counts', 'output'),
  http_5xx: rule('counts', 'output'),
  error_event: rule('counts', 'output'),
  abort: rule('counts', 'output'),
  empty_stream: rule('counts', 'output'),
  first_byte_timeout: rule('counts', 'output'),
  idle_timeout: rule('counts', 'output'),
  no_socket: rule('none', 'contact'),
  busy: rule('none', 'contact'),
  total_timeout: rule('none', 'contact'),
  request_deadline: rule('none', 'contact'),
  connect_deadline: rule('none', 'contact'),
  first_byte_deadline: rule('none', 'contact'),
  idle_deadline: rule('none', 'contact'),
  drain_timeout: rule('none', 'contact'),
  shutdown: rule('none', 'contact'),
};

/** Causes of which one hears after a wait: who tries again may wait as long. */
const WAITED_FOR: ReadonlySet<HealthCause> = new Set<HealthCause>([
  'stalled',
  'connect_timeout',
  'unreachable',
  'first_byte_timeout',
  'idle_timeout',
]);

/** Whether an engine with this fault tells at once that it fails, if it still does. */
export const failsAtOnce = (cause: HealthCause): boolean => !WAITED_FOR.has(cause);

/** Causes that are found by looking at the engine now, however old the request is that they end. */
const SEEN_NOW: ReadonlySet<HealthCause> = new Set<HealthCause>([
  'dead',
  'stalled',
  'unhealthy',
  'unreachable',
]);

/** From when the news is, of a failure at `now` of what was sent at `sentAt`. */
export const newsFrom = (cause: HealthCause, sentAt: number, now: number): number =>
  SEEN_NOW.has(cause) ? now : sentAt;

/** Whether this proof of life takes back what the cause has said. */
export const cures = (proof: Proof, cause: HealthCause): boolean =>
  proof === 'output' || FAILURE_RULES[cause].cure === 'contact';
