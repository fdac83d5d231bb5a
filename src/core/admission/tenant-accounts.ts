import type { Member } from '../member-list.js';
import { MemberList } from '../member-list.js';

/** Tenants that are remembered. When all of them are active, further ones share one account. */
export const MOST_TENANTS = 10_000;

/** Seconds ahead for which promises are told apart by their time. */
const HORIZON = 64;

/** What one tenant has been given, in tokens of work, and what it waits for. */
export class Tenant implements Member<Tenant> {
  before: Tenant | null = null;
  after: Tenant | null = null;
  /** Work that was done for it, lifted to that of the others when it comes back (see `TenantAccounts`). */
  service = 0;
  /** Work of its requests that are held. */
  held = 0;
  /** Work of its requests that were refused and told when to come back. */
  promised = 0;
  /** Requests that are held or in flight. */
  requests = 0;
  lastSeen = 0;
  /** What of `promised` is due in which second; made with the first promise. */
  #due: Float64Array | null = null;

  constructor(readonly name: string) {}

  /** Work that was promised for the seconds from `now` on; both in milliseconds. */
  dueWithin(now: number, milliseconds: number): number {
    if (this.promised === 0 || this.#due === null || milliseconds < 0) return 0;
    const from = Math.floor(now / 1e3);
    const to = Math.min(Math.floor((now + milliseconds) / 1e3), from + HORIZON - 1);
    let work = 0;
    for (let second = from; second <= to; second++) work += this.#due[second % HORIZON] as number;
    return Math.min(Math.max(0, work), this.promised);
  }

  /** For `TenantAccounts` alone. @param at when the work is due, milliseconds, less than 64 s ahead */
  promise(work: number, at: number): void {
    this.#due ??= new Float64Array(HORIZON);
    const second = Math.floor(at / 1e3) % HORIZON;
    this.#due[second] = (this.#due[second] as number) + work;
    this.promised += work;
    // Sums of fractions do not come back to 0 by themselves.
    if (this.promised < 1e-6) {
      this.promised = 0;
      this.#due.fill(0);
    }
  }

  get idle(): boolean {
    return this.requests === 0 && this.promised === 0;
  }
}

/**
 * Who has been given how much: the virtual token counters of Sheng et al., "Fairness in Serving Large Language Models"
 * (OSDI 2024). The next request is one of the tenant with the least service. A tenant that was away starts where the
 * least of the active ones was lately: what it has not used is not saved up.
 *
 * Bounded by 10,000 names; everything but `refresh`, and now and then forgetting, takes constant time.
 */
export class TenantAccounts {
  readonly #tenants = new Map<string, Tenant>();
  readonly #active = new MemberList<Tenant>();
  readonly #others = new Tenant('');
  /** Service of the least of the active tenants, as it was when it was looked for last. */
  #floor = 0;

  get size(): number {
    return this.#tenants.size;
  }

  /** The first of the tenants with requests or promises; the others follow by `after`. */
  get firstActive(): Tenant | null {
    return this.#active.first;
  }

  /** Looks where tenants that come from now on start; to be called some times a second. */
  refresh(): void {
    let least = Infinity;
    for (let tenant = this.#active.first; tenant !== null; tenant = tenant.after) {
      least = Math.min(least, tenant.service);
    }
    if (least !== Infinity) this.#floor = least;
  }

  /** The account of a name, made when it is new. @param now monotonic milliseconds */
  of(name: string, now: number): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      if (this.#tenants.size >= MOST_TENANTS) this.#forget();
      if (this.#tenants.size >= MOST_TENANTS) return this.#others;
      tenant = new Tenant(name);
      this.#tenants.set(name, tenant);
    }
    tenant.lastSeen = now;
    return tenant;
  }

  /** A request of the tenant has come. */
  begin(tenant: Tenant): void {
    this.#enter(tenant);
    tenant.requests++;
  }

  /** A request of the tenant is over, or was refused; without one nothing happens. */
  end(tenant: Tenant): void {
    if (tenant.requests === 0) return;
    tenant.requests--;
    this.#leave(tenant);
  }

  /** The tenant was promised work for `at`, monotonic milliseconds, or such a promise is over (`work` below 0). */
  promise(tenant: Tenant, work: number, at: number): void {
    if (work > 0) this.#enter(tenant);
    tenant.promise(work, at);
    this.#leave(tenant);
  }

  /** `work` was begun for the tenant; below 0 what was reckoned too much. */
  charge(tenant: Tenant, work: number): void {
    tenant.service = Math.max(0, tenant.service + work);
  }

  #enter(tenant: Tenant): void {
    if (!tenant.idle) return;
    tenant.service = Math.max(tenant.service, this.#floor);
    this.#active.add(tenant);
  }

  #leave(tenant: Tenant): void {
    if (!tenant.idle) return;
    this.#active.remove(tenant);
    if (this.#active.size === 0) this.#floor = Math.max(this.#floor, tenant.service);
  }

  /** Forgets a tenth of the names, those that are idle and were seen longest ago. */
  #forget(): void {
    const idle = [...this.#tenants.values()].filter((tenant) => tenant.idle);
    idle.sort((a, b) => a.lastSeen - b.lastSeen);
    for (const { name } of idle.slice(0, MOST_TENANTS / 10)) this.#tenants.delete(name);
  }
}
