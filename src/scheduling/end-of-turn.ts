/** What has something to do at the end of the present turn of the event loop. */
export interface AtEndOfTurn {
  endOfTurn(): void;
}

/**
 * So many are done together before the end of a turn. Few enough that the first of them, who waits for the reading of
 * the others, waits for a fraction of a millisecond.
 */
const GROUP = 8;

/** Everyone who waits for the end of this turn; as many as there are requests in one turn. */
let waiting: AtEndOfTurn[] = [];
/** Everyone who waits for it at the latest; fewer than `GROUP`. */
let group: AtEndOfTurn[] = [];
let scheduled = false;

function run(): void {
  scheduled = false;
  const now = waiting;
  waiting = [];
  runGroup();
  for (const one of now) one.endOfTurn();
}

function runGroup(): void {
  const now = group;
  group = [];
  for (const one of now) one.endOfTurn();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(run);
}

/** Calls when everything that had come in before has been read: one call to `setImmediate` for all of a turn. */
export function atEndOfTurn(one: AtEndOfTurn): void {
  waiting.push(one);
  schedule();
}

/**
 * Calls at the end of the turn, or before when many wait in a long one: then perhaps at once, before this returns.
 * For what gains by waiting and needs not.
 */
export function byEndOfTurn(one: AtEndOfTurn): void {
  if (group.push(one) === GROUP) runGroup();
  else schedule();
}
