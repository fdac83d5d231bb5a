// What can go wrong with an engine, as data: { kind, ... } with what `engine.mjs` needs to bring it about.
//   process   signal to the engine's process; `restart`: it is started anew at the end of the fault
//   control   a fault of the simulated engine (src/simulator/http/fault.ts)
//   call      a route of the engine, and the one that takes it back

const PHASES = ['accept', 'request-head', 'before-head', 'after-head', 'after-frames', 'mid-frame'];

const control = (make) => (random) => ({ control: make(random) });
const frames = (random) => random.whole(0, 8);

/** Made from chance; the name is what the schedule and the table say. */
export const FAULTS = {
  kill: () => ({ signal: 'SIGKILL', restart: true }),
  stop: () => ({ signal: 'SIGSTOP', lift: 'SIGCONT' }),
  // Its requests hang and its port refuses, or it drains, as the engine's --shutdown-timeout says.
  terminate: () => ({ signal: 'SIGTERM', restart: true }),
  die: (random) => ({ control: { dying: random.whole(100, 1_500) }, restart: true }),
  refuse: control(() => ({ refuse: true })),
  reset: control((random) => ({ reset: random.pick(PHASES), frames: frames(random) })),
  fin: control((random) => ({ fin: random.pick(PHASES), frames: frames(random) })),
  hang: control((random) => ({ hang: random.pick(PHASES), frames: frames(random) })),
  garbage: control(() => ({ garbage: true })),
  truncate: control((random) => ({ truncated: true, frames: frames(random) })),
  // A length that is too small makes, by RFC 9112 section 6.3, a shorter answer that is whole: not told here.
  length: control((random) => ({ wrongLength: random.pick([1, 7, 5_000]) })),
  stale: control((random) => ({ staleSocket: random.pick(['fin', 'reset']) })),
  event: control((random) => ({ errorEvent: true, frames: frames(random) })),
  status: control((random) => ({ status: random.pick([500, 502, 503, 504]) })),
  burst: control((random) => ({ status: random.pick([500, 503]), times: random.whole(3, 20) })),
  flat: control(() => ({ flatError: true })),
  draining: control(() => ({ draining: true })),
  dead: control(() => ({ dead: true })),
  full: control(() => ({ queueFull: true })),
  abort: control((random) => ({ abort: random.pick(['finish-reason', 'done-only']) })),
  slow: control((random) => ({ slow: random.pick([5, 50, 1_000]) })),
  trickle: control(() => ({ slow: 20, keepAliveComments: 3 })),
  pause: control(() => ({ paused: true })),
  freeze: control(() => ({ frozen: true })),
  sleep: (random) => ({
    call: `/sleep?level=${random.pick([1, 2])}&mode=${random.pick(['abort', 'keep'])}`,
    back: '/wake_up',
  }),
};

/** Faults after which another engine is tried out of the retry budget, since the engine did answer or time ran out. */
export const BUDGETED = new Set([
  'stop',
  'hang',
  'status',
  'burst',
  'flat',
  'full',
  'event',
  'slow',
  'trickle',
  'pause',
  'freeze',
  'sleep',
]);
