// Which losses could have been avoided; the words are those in the head of run.mjs.

/** Causes after which another try is paid for out of the router's retry budget (ARCHITECTURE.md). */
const BUDGETED = /^(busy|http_5xx|error_event|first_byte_timeout|idle_timeout|connect_timeout)$/;
const SHARE = 0.2;
const FLOOR = 10;
/** The router counts by whole seconds, nine of them and the one under way. */
const WINDOW_MS = 9_500;
/**
 * The router says when a retry was refused; so much of the budget must have been spent as reckoned from outside, by the
 * second and without the clients that left before their body had come.
 */
const AGREE = 0.5;

/** JSON answers above this are committed before their end. */
const HELD_BYTES = 1024 * 1024;

export class Judge {
  #engines;
  #continues;
  #hostile;
  #retries = [];
  #arrivals = [];

  /**
   * @param {import('./engine.mjs').ChaosEngine[]} engines
   * @param {{ url: string }} hostile never good
   * @param {boolean} continues streams go on on another engine (--stream-failover continue)
   * @param {Map<string, object>} decisions by request id
   */
  constructor(engines, hostile, continues, decisions) {
    this.#engines = engines;
    this.#hostile = hostile;
    this.#continues = continues;
    this.decisions = decisions;
  }

  /** Told of all requests before any is judged, sorted by their beginning. */
  learn(played) {
    for (const { asked, came } of played) {
      this.#arrivals.push(came.startedAt);
      let at = came.startedAt;
      for (const { cause, duration } of (this.decisions.get(asked.id)?.attempts ?? []).slice(0, -1)) {
        at += (duration ?? 0) * 1_000;
        if (BUDGETED.test(cause ?? '')) this.#retries.push(at);
      }
    }
  }

  /** @returns {{ lost: boolean, avoidable: boolean, why: string }} */
  judge(asked, came, outcome) {
    const { kind } = outcome;
    if (!asked.good || kind === 'whole' || kind === 'left') return { lost: false, avoidable: false, why: '' };
    const lost = (avoidable, why) => ({ lost: true, avoidable, why });
    const serving = this.#engines.filter(({ models }) => models.includes(asked.model));
    if (!serving.some((engine) => engine.good(came.startedAt, came.endedAt)))
      return lost(false, 'no good engine');
    if (committed(asked, came, kind) && !(this.#continues && isPlain(asked))) {
      const { url, broke } = this.#servedBy(asked, came);
      if (broke) return lost(false, `its engine ${url} failed after the first byte`);
    }
    if (kind === 'error' && this.#budgetSpent(asked, came)) return lost(false, 'the retry budget was spent');
    return lost(true, 'a good engine was there all the time');
  }

  /** The engine that a committed answer came from, and whether something was wrong with it meanwhile. */
  #servedBy(asked, came) {
    const url = this.decisions.get(asked.id)?.engine ?? null;
    if (url === this.#hostile?.url) return { url, broke: true };
    const engine = this.#engines.find((one) => one.url === url);
    return { url, broke: engine === undefined || engine.faulty.touches(came.startedAt, came.endedAt) };
  }

  #budgetSpent(asked, came) {
    if (this.decisions.get(asked.id)?.retry_refused !== true) return false;
    const recent = (times) =>
      times.filter((at) => at > came.endedAt - WINDOW_MS && at <= came.endedAt).length;
    return recent(this.#retries) >= AGREE * Math.max(FLOOR, SHARE * recent(this.#arrivals));
  }
}

function committed({ stream, huge, api }, { status, body }, kind) {
  if (kind === 'error' || status !== 200) return false;
  if (stream || huge || body.length > HELD_BYTES) return true;
  // That an engine gave up cannot be told from these answers.
  return kind === 'aborted' && api !== 'chat' && api !== 'completions';
}

/** Streams that can go on on another engine. */
const isPlain = ({ api, choices, stream }) =>
  stream && choices === 1 && (api === 'chat' || api === 'completions');
