/** What has something to do at the end of the present turn of the event loop. */
export interface AtEndOfTurn {
  endOfTurn(): void;
}

/** Everyone who waits for the end of this turn; as many as there are requests in one turn. */
let waiting: AtEndOfTurn[] = [];

function run(): void {
  const now = waiting;
  waiting = [];
  for (const one of now) one.endOfTurn();
}

/** Calls when everything that had come in before has been read: one call to `setImmediate` for all of a turn. */
export function atEndOfTurn(one: AtEndOfTurn): void {
  if (waiting.push(one) === 1) setImmediate(run);
}
