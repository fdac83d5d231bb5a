import { DrainRate } from './drain-rate.js';
import { type GateTicket, type Refusal, type ShedReason } from './gate-ticket.js';
import { HeldQueue } from './held-queue.js';
import { InFlightLimit, type LatencyTargets } from './in-flight-limit.js';
import { LONGEST_RETRY, ReturnSchedule } from './return-schedule.js';
import type { Tenant, TenantAccounts } from './tenant-accounts.js';

/** What of its time a new request may be expected to wait here; the rest is for what cannot be foreseen. */
const NEW_SHARE = 0.5;
/** The same for one that was told to come now. */
const RETURNED_SHARE = 0.9;
/** Share of the drain rate that is promised: the rest goes to those that come by themselves, and to errors. */
const PROMISED_SHARE = 0.9;
/** A held request is given up when it is foreseen to be later than this share of its time. */
const LATE_SHARE = 1.1;

/** What holds for all models. */
export interface GateSettings extends LatencyTargets {
  /** Requests that may be held for one model. */
  readonly maxHeld: number;
  /** Requests that one engine may have; 0 sets no limit. */
  readonly maxPerEngine: number;
}

/**
 * Decides for one model which requests go to its engines now, which are held, and which are refused. Engines get what
 * they can answer in time (`InFlightLimit`), one request at least. The others are held in order (`HeldQueue`) while
 * their first token can still come by their deadline, at the rate at which the engines get work done (`DrainRate`);
 * whoever is refused is told when it would be his turn (`ReturnSchedule`). While no rate is known nothing is refused
 * that may still be in time.
 *
 * Times are monotonic milliseconds, work is tokens: those of the prompt that are not cached, and twice those of the answer.
 */
export class ModelGate {
  readonly limit = new InFlightLimit();
  readonly #rate = new DrainRate();
  readonly #held: HeldQueue;
  readonly #returns: ReturnSchedule;
  #inFlight = 0;
  #requests = 0;
  #engines = 0;
  /** Requests that all engines may have. */
  #most = Infinity;
  #passedAt: number | null = null;

  constructor(
    private readonly tenants: TenantAccounts,
    private readonly random: () => number,
  ) {
    this.#held = new HeldQueue(tenants);
    this.#returns = new ReturnSchedule(tenants);
  }

  /** Requests that are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Requests that the engines have. */
  get requests(): number {
    return this.#requests;
  }

  /** Work that the engines have, tokens. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Tokens of work that the engines do in a second; null while not known. */
  get drainRate(): number | null {
    return this.#rate.value;
  }

  /** How long what is held would take to be sent, seconds; 0 for nothing, null while not known. */
  get drainSeconds(): number | null {
    if (this.#held.size === 0) return 0;
    const rate = this.#rate.value;
    return rate === null ? null : this.#held.work / rate;
  }

  /** Clients that were refused and are expected back. */
  get promised(): number {
    return this.#returns.size;
  }

  /** Nothing of the model is held, in flight or promised. */
  get idle(): boolean {
    return this.#held.size === 0 && this.#requests === 0 && this.#returns.size === 0;
  }

  /**
   * A request has come. `go`: it is to be sent now. `held`: its owner will be told. Otherwise it is refused. The
   * tenant's account has been told of it (`TenantAccounts.begin`); of one that is refused it is told the end here.
   */
  arrive(ticket: GateTicket, now: number, settings: GateSettings): 'go' | 'held' | Refusal {
    if (this.#returns.size > 0) {
      const since = this.#returns.claim(ticket.key(), now);
      if (since !== null) {
        ticket.since = since;
        ticket.returned = true;
      }
    }
    if (this.#held.size === 0 && this.#hasRoom) return 'go';
    const rate = this.#rate.value;
    if (rate !== null) {
      const left = this.#secondsLeft(ticket, now, settings);
      const { share } = this.#returns;
      const due = (tenant: Tenant): number => tenant.dueWithin(now, left * 1e3) * share;
      const ahead = ticket.returned ? this.#held.ahead(ticket) : this.#held.ahead(ticket, due);
      const wait = (ahead + this.#excess) / rate;
      if (wait > left * (ticket.returned ? RETURNED_SHARE : NEW_SHARE))
        return this.#refuse(ticket, 'no_time', now);
    } else if (this.#secondsLeft(ticket, now, settings) <= 0) return this.#refuse(ticket, 'no_time', now);
    ticket.heldAt = now;
    this.#held.add(ticket);
    if (this.#held.size > settings.maxHeld) {
      const last = this.#held.last() as GateTicket;
      this.#held.remove(last);
      if (last === ticket) {
        ticket.heldAt = null;
        return this.#refuse(ticket, 'no_room', now);
      }
      last.owner.refuse(this.#refuse(last, 'gave_way', now));
    }
    return 'held';
  }

  /** The client of a held request has gone. */
  withdraw(ticket: GateTicket): void {
    this.#held.remove(ticket);
    this.tenants.end(ticket.tenant);
  }

  /** An attempt was sent to an engine. @param streams it will bring a first token */
  sent(work: number, streams: boolean): void {
    if (streams) this.limit.heedSent();
    this.#inFlight += work;
    this.#requests++;
  }

  /** An attempt is over. */
  ended(work: number): void {
    this.#requests--;
    this.#inFlight = this.#requests === 0 ? 0 : Math.max(0, this.#inFlight - work);
  }

  /** Engines have done so many tokens of work. */
  done(work: number): void {
    this.#rate.add(work);
  }

  /** Sends held requests on as long as the engines have room. */
  release(): void {
    while (this.#held.size > 0 && this.#hasRoom) {
      const ticket = this.#held.first() as GateTicket;
      this.#held.remove(ticket);
      ticket.owner.proceed();
    }
  }

  /**
   * Looks at what has changed since the last call, some times a second.
   * @param engines that may be sent to now
   */
  pass(now: number, engines: number, settings: GateSettings): void {
    const seconds = this.#passedAt === null ? 0 : Math.min(1, (now - this.#passedAt) / 1e3);
    this.#passedAt = now;
    if (engines > 0 && engines !== this.#engines) {
      if (this.#engines > 0) {
        this.limit.scale(engines / this.#engines);
        this.#rate.scale(engines / this.#engines);
      }
      this.#engines = engines;
    }
    this.#most = engines > 0 && settings.maxPerEngine > 0 ? engines * settings.maxPerEngine : Infinity;
    this.#rate.pass(seconds, this.#held.size > 0 || this.#inFlight >= this.limit.value * 0.9);
    const each = this.#requests === 0 ? 0 : this.#inFlight / this.#requests;
    const least = each * Math.max(1, engines);
    this.limit.pass({ now, seconds, inFlight: this.#inFlight, rate: this.#rate.value, least }, settings);
    this.#returns.sweep(now);
    this.release();
    this.#giveUpLate(now, settings);
  }

  /** Refuses all that is held, as `refuse` says of each. */
  empty(refuse: (ticket: GateTicket) => void): void {
    for (const held of this.#held) {
      this.#held.remove(held);
      this.tenants.end(held.tenant);
      refuse(held as GateTicket);
    }
  }

  get #hasRoom(): boolean {
    return this.#requests === 0 || (this.#inFlight < this.limit.value && this.#requests < this.#most);
  }

  /** How long a request can wait here, as its engine takes its time too. */
  #secondsLeft({ deadline }: GateTicket, now: number, { ttft }: GateSettings): number {
    // After a time in which it took longer the limit has been cut, so that it will not.
    return (deadline - now) / 1e3 - Math.min(this.limit.ttft, ttft / 2);
  }

  /** Work that the engines have too much, tokens: it goes before all that is held. */
  get #excess(): number {
    return this.limit.value === Infinity ? 0 : Math.max(0, this.#inFlight - this.limit.value);
  }

  /** Gives up those whose first token cannot come in time any more. */
  #giveUpLate(now: number, settings: GateSettings): void {
    if (this.#held.size === 0) return;
    const rate = this.#rate.value;
    for (const { request, ahead } of this.#held.inOrder()) {
      const ticket = request as GateTicket;
      const left = this.#secondsLeft(ticket, now, settings);
      const whole = (ticket.deadline - ticket.arrivedAt) / 1e3;
      const wait = rate === null ? 0 : (ahead + this.#excess) / rate;
      if (left > 0 && wait <= left + (LATE_SHARE - 1) * whole) continue;
      this.#held.remove(ticket);
      ticket.owner.refuse(this.#refuse(ticket, 'late', now));
    }
  }

  #refuse(ticket: GateTicket, reason: ShedReason, now: number): Refusal {
    const { tenant } = ticket;
    this.tenants.end(tenant);
    const rate = this.#rate.value;
    // Nothing is known: soon, and not all at once.
    if (rate === null) return { reason, retryAfter: 1 + Math.floor(this.random() * 2) };
    const { share } = this.#returns;
    const ahead = this.#held.ahead(ticket, ({ promised }) => promised * share) + this.#excess;
    const wait = ahead / (rate * PROMISED_SHARE);
    // Clients that are told the longest time come back over a quarter of it.
    if (wait > LONGEST_RETRY)
      return { reason, retryAfter: Math.ceil(LONGEST_RETRY * (1 - this.random() / 4)) };
    const retryAfter = Math.max(1, Math.ceil(wait));
    this.#returns.add(ticket.key(), tenant, ticket.work, ticket.since, now + retryAfter * 1e3);
    return { reason, retryAfter };
  }
}
