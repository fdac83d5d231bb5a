// What happens when, from the seed alone: phases, and in them faults, changes of the fleet and of settings.
import { BUDGETED, FAULTS } from './faults.mjs';
import { Random } from './random.mjs';

/** Times in milliseconds of the run. */
const FIRST_FAULT = 1_000;
/** The end of a phase is quiet, so that the engines of the next one are found good before those of this one fail. */
const QUIET = 4_000;
const STRATEGIES = ['roundrobin', 'leastload', 'poweroftwo', 'random', 'prefixaware', 'session'];
const BROKEN_FILES = ['{"service_discovery": "static",', '[]', '{"colour": "red"}', ''];

/** How often each kind of phase comes. */
const PHASES = { one: 3, flap: 2, mixed: 4, all: 3, none: 1, calm: 1 };

/** Which engines serve which model: two thirds of them each, the middle third both. */
export function modelsOf(engines) {
  const many = Math.ceil((engines * 2) / 3);
  const all = Array.from({ length: engines }, (_, index) => index);
  return { alpha: all.slice(0, many), beta: all.slice(engines - many) };
}

/**
 * @param {{ seed: number, minutes: number, engines: number, phaseSeconds?: number }} wish
 * @returns {{ ms: number, phases: object[], events: object[] }} events sorted by their time `at`
 */
export function makeSchedule({ seed, minutes, engines, phaseSeconds = 20 }) {
  const random = new Random(seed, 'faults');
  const models = modelsOf(engines);
  const ms = minutes * 60_000;
  const phases = [];
  const events = [];
  for (let at = FIRST_FAULT; at < ms - QUIET;) {
    const length = Math.min(random.whole(phaseSeconds * 700, phaseSeconds * 1_300), ms - at);
    const phase = { at, length, kind: random.weighted(PHASES), anchors: anchorsOf(models, random) };
    phases.push(phase);
    events.push({ at, type: 'phase', phase });
    events.push(...faultsOf(phase, engines, random), ...reloadsOf(phase, engines, random));
    at += length;
  }
  return { ms, phases, events: events.sort((a, b) => a.at - b.at) };
}

/** One engine of each model stays good; often the same one. */
function anchorsOf(models, random) {
  return [...new Set(Object.values(models).map((serving) => random.pick(serving)))];
}

function faultsOf({ at, length, kind, anchors }, engines, random) {
  if (kind === 'calm') return [];
  const room = Math.max(1_000, length - QUIET);
  const all = Array.from({ length: engines }, (_, index) => index);
  if (kind === 'none') {
    // Nobody is good for a moment: answers are errors then, and come soon.
    const wrong = random.pick(['kill', 'refuse', 'status', 'reset', 'hang', 'draining']);
    const start = at + room * 0.3;
    return all.map((engine) => fault(wrong, engine, start, Math.min(3_000, room * 0.4), random));
  }
  const weak = random.shuffled(all.filter((engine) => !anchors.includes(engine)));
  const chosen = kind === 'one' ? weak.slice(0, 1) : weak;
  const names = Object.keys(FAULTS);
  const free = names.filter((name) => !BUDGETED.has(name));
  const shared = random.pick(names);
  // The retry budget bears one engine that answers wrongly or not at all, not a whole fleet of them.
  let budgeted = 0;
  const next = () => {
    const name = kind === 'all' ? shared : random.pick(budgeted === 0 ? names : free);
    if (BUDGETED.has(name) && budgeted > 0) return random.pick(free);
    return name;
  };
  return chosen.flatMap((engine) => {
    const out = [];
    let start = at + random.whole(0, 500);
    const own = next();
    const end = at + room;
    while (start < end - 300) {
      const name = out.length === 0 ? own : kind === 'flap' ? own : next();
      if (BUDGETED.has(name)) budgeted += 1;
      const most = kind === 'flap' ? 1_500 : random.whole(2_000, 12_000);
      const long = Math.min(most, end - start);
      out.push(fault(name, engine, start, long, random));
      start += long + (kind === 'flap' ? random.whole(200, 1_000) : random.whole(1_500, 4_000));
      if (kind === 'one' || kind === 'all') break;
    }
    return out;
  });
}

const fault = (name, engine, at, long, random) => ({
  at,
  type: 'fault',
  engine,
  name,
  for: long,
  what: FAULTS[name](random),
});

/** The fleet and the settings change meanwhile; the engines that stay good stay in the fleet. */
function reloadsOf({ at, length, kind, anchors }, engines, random) {
  const out = [];
  const reload = (share, what) => out.push({ at: at + length * share, type: 'reload', ...what });
  const gone = Array.from({ length: engines }, (_, index) => index).filter(
    (engine) => !anchors.includes(engine) && random.chance(0.2),
  );
  const hostile = kind !== 'calm' && random.chance(0.35);
  if (kind !== 'none') {
    reload(random.next() * 0.3, { gone, hostile, strategy: random.pick(STRATEGIES) });
    if (random.chance(0.5)) reload(0.3 + random.next() * 0.3, { broken: random.pick(BROKEN_FILES) });
  }
  reload(Math.max(0.6, 1 - QUIET / length - 0.05), {
    gone: [],
    hostile: false,
    strategy: random.pick(STRATEGIES),
  });
  return out;
}

/** An event as a line of text. */
export function describe(event) {
  if (event.type === 'fault') {
    return `engine ${event.engine}: ${event.name} for ${event.for} ms ${JSON.stringify(event.what)}`;
  }
  const { broken, gone, hostile, strategy } = event;
  if (broken !== undefined) return `a broken file: ${broken}`;
  return `reload: without ${gone.join(' ') || 'none'}, ${strategy}${hostile ? ', with the hostile engine' : ''}`;
}
