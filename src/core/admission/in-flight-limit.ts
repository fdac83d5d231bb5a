/** Share of the target to the first token that engines may take of it; the rest is for requests that are held. */
const TTFT_SHARE = 0.5;
/** What a token may take on average, of its target: answers differ. */
const TPOT_SHARE = 0.85;
/** About the last twenty first tokens count. */
const KEEP = 0.95;
/** So many tell whether engines are late. */
const LEAST_SAMPLES = 3;
/** For how long what tokens took counts, seconds: one long step is not what an answer feels. */
const TOKEN_MEMORY = 0.5;
/** For how long tokens must be slow before there is a limit because of it, milliseconds. */
const SLOW_MS = 1_000;
/**
 * The most by which the limit grows or falls in the time in which the engines turn over what they have: nothing sent
 * meanwhile is the fastest that it can fall.
 */
const MOST_GROWTH = 0.5;
const MOST_FALL = 1;
const GROWTH = 2;
const FALL = 3;
/** A first limit is at least such a part of what is in flight. */
const MOST_AT_FIRST = 2;
/** The most by which it is cut when first tokens are late. */
const MOST_CUT = 0.3;
/** The limit is asked whether it is right only when so much of it is used. */
const IN_USE = 0.85;
const LEAST_TURNOVER = 0.25;

/** What the limit is held against, seconds. */
export interface LatencyTargets {
  readonly ttft: number;
  readonly tpot: number;
}

/** What a look at the engines has seen. */
export interface EngineLoad {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Length of the span of time that is over, seconds. */
  readonly seconds: number;
  /** Work that the engines have, tokens. */
  readonly inFlight: number;
  /** Work that they do a second; null while not known. */
  readonly rate: number | null;
  /** What the limit does not fall below, tokens. */
  readonly least: number;
}

/** A mean of what was seen of requests that were sent after the limit was cut last: others tell of before. */
class Lateness {
  value = 0;
  #samples = 0;

  get known(): boolean {
    return this.#samples >= LEAST_SAMPLES;
  }

  heed(value: number): void {
    this.value += (value - this.value) * Math.max(1 - KEEP, 1 / ++this.#samples);
  }

  restart(): void {
    this.#samples = 0;
  }
}

/** The requests that were sent in one span of time. */
interface Batch {
  readonly from: number;
  sent: number;
  begun: number;
}

/**
 * How much work the engines of a model may have at once, so that first tokens and further ones come within their
 * targets: what exceeds it waits in the router, in order, instead of in the engines. Without a limit until the engines
 * were late once. Then it grows while they are early, by a share of what they turn over (by Little's law the time for
 * that is work in flight by work a second), so that the rate at which requests are sent changes by that share and no
 * more. When first tokens are late it is cut, and not again before requests that were sent afterwards tell what came of
 * it; a queue in an engine answers for long with what it was when it was longest. That most of those sent in a span of
 * time have brought no first token after another one counts as late too: the worse it is, the later it is heard of.
 */
export class InFlightLimit {
  #limit = Infinity;
  readonly #ttft = new Lateness();
  readonly #whole = new Lateness();
  #gapSeconds = 0;
  #gaps = 0;
  #slowSince = Infinity;
  #cutAt = -Infinity;
  #batch: Batch = { from: -Infinity, sent: 0, begun: 0 };
  #before: Batch = this.#batch;

  /** Tokens of work; Infinity while the engines have not been late. */
  get value(): number {
    return this.#limit;
  }

  /** Mean time from sending a request to its first token lately, seconds; 0 while not known. */
  get ttft(): number {
    return this.#ttft.value;
  }

  /** A request that brings a first token was sent. */
  heedSent(): void {
    this.#batch.sent++;
  }

  /** A first token has come, so many seconds after it was asked for at `sentAt`, monotonic milliseconds. */
  heedFirstToken(seconds: number, sentAt: number): void {
    if (sentAt > this.#cutAt) this.#ttft.heed(seconds);
    if (sentAt >= this.#batch.from) this.#batch.begun++;
    else if (sentAt >= this.#before.from) this.#before.begun++;
  }

  /** An answer that is no stream has come, after so many seconds and with so many tokens. */
  heedWhole(seconds: number, sentAt: number, tokens: number, { ttft, tpot }: LatencyTargets): void {
    if (sentAt > this.#cutAt) this.#whole.heed(seconds / (TTFT_SHARE * ttft + TPOT_SHARE * tpot * tokens));
  }

  /** So many tokens have come, with so many seconds in all since the ones before them. */
  heedTokens(seconds: number, tokens: number): void {
    this.#gapSeconds += seconds;
    this.#gaps += tokens;
  }

  /** A span of time is over. */
  pass({ now, seconds, inFlight, rate, least }: EngineLoad, { ttft, tpot }: LatencyTargets): void {
    const first = this.#ttft.known ? this.#ttft.value / (TTFT_SHARE * ttft) : 0;
    const begun = Math.max(first, this.#whole.known ? this.#whole.value : 0, this.#missing(now, ttft));
    const going = this.#gaps < 1 ? 0 : this.#gapSeconds / this.#gaps / (TPOT_SHARE * tpot);
    const keep = Math.exp(-seconds / TOKEN_MEMORY);
    this.#gapSeconds *= keep;
    this.#gaps *= keep;
    if (going <= 1) this.#slowSince = Infinity;
    else this.#slowSince = Math.min(this.#slowSince, now);
    if (this.#limit === Infinity && begun <= 1 && !(now - this.#slowSince >= SLOW_MS)) return;
    if (begun > 1) {
      this.#limit = Math.max(
        least,
        Math.min(this.#limit, inFlight) * (1 - Math.min(MOST_CUT, (begun - 1) / 2)),
      );
      this.#cutAt = now;
      this.#ttft.restart();
      this.#whole.restart();
      return;
    }
    if (this.#limit === Infinity)
      this.#limit = Math.max(least, inFlight / Math.min(Math.max(1, going), MOST_AT_FIRST));
    if (inFlight < this.#limit * IN_USE || !(this.#ttft.known || this.#whole.known)) return;
    const turnover = Math.max(LEAST_TURNOVER, rate === null ? 1 : inFlight / rate);
    const share = Math.min(1, seconds / turnover);
    if (going <= 1) {
      const early = 1 - Math.max(begun, going);
      this.#limit *= 1 + Math.min(MOST_GROWTH, GROWTH * early) * share;
    } else if (inFlight <= this.#limit * 1.02) {
      // While more is in flight than may be, what was done about it has not shown yet.
      this.#limit = Math.max(least, this.#limit * (1 - Math.min(MOST_FALL, FALL * (going - 1)) * share));
    }
  }

  /** How late the first tokens are that have not come, by most of the requests of a batch. */
  #missing(now: number, ttft: number): number {
    if (now - this.#batch.from < ttft * 1e3) return 0;
    const { from, sent, begun } = this.#before;
    this.#before = this.#batch;
    this.#batch = { from: now, sent: 0, begun: 0 };
    return sent >= LEAST_SAMPLES && from > this.#cutAt && begun * 2 < sent ? 1 / TTFT_SHARE : 0;
  }

  /** The model has so many times the engines that it had. */
  scale(factor: number): void {
    this.#limit *= factor;
  }
}
