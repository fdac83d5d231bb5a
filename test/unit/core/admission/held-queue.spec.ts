import fc from 'fast-check';
import { type HeldRequest, HeldQueue } from '../../../../src/core/admission/held-queue.js';
import { type Tenant, TenantAccounts } from '../../../../src/core/admission/tenant-accounts.js';

let order = 0;
const request = (tenant: Tenant, fields: Partial<HeldRequest> = {}): HeldRequest => ({
  ...{ tenant, priority: 0, work: 10, since: order, order: order++, before: null, after: null },
  ...fields,
});

function queueOf(...service: number[]) {
  const accounts = new TenantAccounts();
  const tenants = service.map((value, at) => {
    const tenant = accounts.of(`t${at}`, 0);
    accounts.begin(tenant);
    tenant.service = value;
    return tenant;
  });
  return { accounts, tenants, queue: new HeldQueue(accounts) };
}

/** Serves all that is held, as the gate does. */
function served(queue: HeldQueue): HeldRequest[] {
  const all: HeldRequest[] = [];
  for (let next = queue.first(); next !== null; next = queue.first()) {
    queue.remove(next);
    next.tenant.service += next.work;
    all.push(next);
  }
  return all;
}

describe('the requests that are held', () => {
  it('go by priority, then by their time, for one tenant', () => {
    const { queue, tenants } = queueOf(0);
    const [tenant] = tenants as [Tenant];
    const [late, early, urgent, lazy] = [
      request(tenant, { since: 5 }),
      request(tenant, { since: 1 }),
      request(tenant, { since: 9, priority: -1 }),
      request(tenant, { since: 0, priority: 1 }),
    ];
    for (const one of [late, early, urgent, lazy]) queue.add(one);
    expect(queue.last()).toBe(lazy);
    expect(served(queue)).toEqual([urgent, early, late, lazy]);
    expect([queue.size, queue.work, tenant.held]).toEqual([0, 0, 0]);
  });

  it('go by what their tenants were given, whatever their priority', () => {
    const { queue, tenants } = queueOf(100, 0);
    const [loud, quiet] = tenants as [Tenant, Tenant];
    const pushy = request(loud, { priority: -1000 });
    const [first, second] = [request(quiet, { work: 60 }), request(quiet, { work: 60 })];
    for (const one of [pushy, first, second]) queue.add(one);
    expect(served(queue)).toEqual([first, second, pushy]);
  });

  it('give way from the end of the tenant that would be served last', () => {
    const { queue, tenants } = queueOf(0, 0);
    const [loud, quiet] = tenants as [Tenant, Tenant];
    const ofLoud = Array.from({ length: 4 }, () => request(loud));
    for (const one of ofLoud) queue.add(one);
    queue.add(request(quiet));
    expect(queue.last()).toBe(ofLoud[3]);
  });

  it('reckon promises to come before those that are new, and not before those that were promised', () => {
    const { queue, tenants, accounts } = queueOf(0, 0);
    const [one, other] = tenants as [Tenant, Tenant];
    accounts.promise(one, 100, 0);
    accounts.promise(other, 30, 0);
    const reckon = (share: number) => (tenant: Tenant) => tenant.promised * share;
    const asked = request(one);
    // All that is its own, and of the other what is served until both were given as much.
    expect(queue.ahead(asked, reckon(1))).toBe(130);
    expect(queue.ahead(asked, reckon(0.5))).toBe(65);
    expect(queue.ahead(asked)).toBe(0);
    const ofOther = request(other);
    expect(queue.ahead(ofOther, reckon(1))).toBe(60);
  });

  const anyRequest = fc.record({
    tenant: fc.nat(3),
    priority: fc.integer({ min: -2, max: 2 }),
    work: fc.integer({ min: 1, max: 50 }),
    since: fc.nat(20),
  });

  it('are served in the order that is foretold, with as much work ahead', () => {
    fc.assert(
      fc.property(
        fc.array(anyRequest, { maxLength: 30 }),
        fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
        (drawn, service) => {
          // Fractions make ties rare, which may go either way.
          const { queue, tenants } = queueOf(...service.map((value, at) => value + at / 1000));
          for (const { tenant, ...fields } of drawn) queue.add(request(tenants[tenant]!, fields));
          const foretold = queue.inOrder();
          const aheadOf = new Map(foretold.map(({ request: of }) => [of, queue.ahead(of)]));
          expect(served(queue)).toEqual(foretold.map(({ request: of }) => of));
          for (const { request: of, ahead } of foretold) {
            // One by one the share of the request that another tenant is in the midst of is reckoned too low at most.
            expect(aheadOf.get(of)!).toBeLessThanOrEqual(ahead + 1e-6);
            expect(aheadOf.get(of)!).toBeGreaterThanOrEqual(ahead - 3 * 50);
          }
        },
      ),
    );
  });

  it('never let a tenant wait for more than what all others get with it', () => {
    fc.assert(
      fc.property(fc.array(anyRequest, { minLength: 1, maxLength: 40 }), (drawn) => {
        const { queue, tenants } = queueOf(0, 0, 0, 0);
        for (const { tenant, ...fields } of drawn) queue.add(request(tenants[tenant]!, fields));
        const waiting = new Map<Tenant, number>();
        for (const { tenant } of drawn) {
          const of = tenants[tenant]!;
          waiting.set(of, (waiting.get(of) ?? 0) + 1);
        }
        for (let next = queue.first(); next !== null; next = queue.first()) {
          queue.remove(next);
          next.tenant.service += next.work;
          waiting.set(next.tenant, waiting.get(next.tenant)! - 1);
          // Whoever still waits was not given less than the one that was served by more than one request.
          for (const [tenant, left] of waiting) {
            if (left > 0) expect(next.tenant.service - tenant.service).toBeLessThanOrEqual(next.work);
          }
        }
      }),
    );
  });
});
