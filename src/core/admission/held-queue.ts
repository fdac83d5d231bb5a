import { MemberList, type Member } from '../member-list.js';
import type { Tenant, TenantAccounts } from './tenant-accounts.js';

/** What orders a held request. */
export interface HeldRequest extends Member<HeldRequest> {
  readonly tenant: Tenant;
  /** Lower values are more urgent, as vLLM has it. */
  readonly priority: number;
  /** Tokens of work that it is reckoned to be. */
  readonly work: number;
  /** When it came first, monotonic milliseconds: of a client that was refused and came back, when it was refused. */
  readonly since: number;
  /** Counts requests: the order of those that came in the same moment. */
  readonly order: number;
}

const NOTHING = (): number => 0;

/** Whether `a` goes before `b`, both of one tenant. */
function before(a: HeldRequest, b: HeldRequest): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  return a.since === b.since ? a.order < b.order : a.since < b.since;
}

/**
 * The requests that are held for one model. First are those of the tenant with the least service; of one tenant the
 * more urgent, then those that came first. Looking takes one pass over what is held, which is bounded by
 * `--max-held-requests`.
 */
export class HeldQueue {
  readonly #held = new MemberList<HeldRequest>();
  #work = 0;

  constructor(private readonly tenants: TenantAccounts) {}

  get size(): number {
    return this.#held.size;
  }

  /** Work of all that is held, tokens. */
  get work(): number {
    return this.#held.size === 0 ? 0 : this.#work;
  }

  add(request: HeldRequest): void {
    this.#held.add(request);
    this.#work += request.work;
    request.tenant.held += request.work;
  }

  remove(request: HeldRequest): void {
    this.#held.remove(request);
    this.#work -= request.work;
    request.tenant.held = Math.max(0, request.tenant.held - request.work);
  }

  /** The request that is to be served next; null when none is held. */
  first(): HeldRequest | null {
    let first: HeldRequest | null = null;
    for (let request = this.#held.first; request !== null; request = request.after) {
      if (first === null || goesFirst(request, first)) first = request;
    }
    return first;
  }

  /** The request that gives way when there is no room: the last one of the tenant that would be served last. */
  last(): HeldRequest | null {
    let last: HeldRequest | null = null;
    for (let request = this.#held.first; request !== null; request = request.after) {
      if (last === null || servedLater(request, last)) last = request;
    }
    return last;
  }

  /**
   * Work that is served before a request. Of another tenant it is what is served until that one's service has reached
   * where this one's will be.
   * @param promised what is reckoned of the work that a tenant was promised: a request that was not promised anything
   *   has to wait for it
   */
  ahead(request: HeldRequest, promised: (tenant: Tenant) => number = NOTHING): number {
    const { tenant } = request;
    let own = promised(tenant);
    for (let other = this.#held.first; other !== null; other = other.after) {
      if (other.tenant === tenant && other !== request && before(other, request)) own += other.work;
    }
    let ahead = own;
    for (let other = this.tenants.firstActive; other !== null; other = other.after) {
      if (other === tenant) continue;
      const queued = other.held + promised(other);
      ahead += Math.min(queued, Math.max(0, tenant.service + own - other.service));
    }
    return ahead;
  }

  /**
   * All that is held in the order in which it would be served, each with the work before it: a request is served when
   * the service of its tenant has reached what it will be with those of the tenant that go before.
   */
  inOrder(): readonly { readonly request: HeldRequest; readonly ahead: number }[] {
    const requests = [...this.#held].sort((a, b) => (before(a, b) ? -1 : 1));
    const own = new Map<Tenant, number>();
    const turns = requests.map((request) => {
      const turn = own.get(request.tenant) ?? request.tenant.service;
      own.set(request.tenant, turn + request.work);
      return { request, turn, ahead: 0 };
    });
    turns.sort((a, b) => a.turn - b.turn);
    let ahead = 0;
    for (const turn of turns) {
      turn.ahead = ahead;
      ahead += turn.request.work;
    }
    return turns;
  }

  [Symbol.iterator](): Iterator<HeldRequest> {
    return this.#held[Symbol.iterator]();
  }
}

function goesFirst(a: HeldRequest, b: HeldRequest): boolean {
  if (a.tenant === b.tenant || a.tenant.service === b.tenant.service) return before(a, b);
  return a.tenant.service < b.tenant.service;
}

function servedLater(a: HeldRequest, b: HeldRequest): boolean {
  if (a.tenant === b.tenant) return before(b, a);
  const [ofA, ofB] = [a.tenant.service + a.tenant.held, b.tenant.service + b.tenant.held];
  return ofA === ofB ? before(b, a) : ofA > ofB;
}
