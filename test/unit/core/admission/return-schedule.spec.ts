import fc from 'fast-check';
import { ReturnSchedule } from '../../../../src/core/admission/return-schedule.js';
import { TenantAccounts } from '../../../../src/core/admission/tenant-accounts.js';

function schedule() {
  const accounts = new TenantAccounts();
  return { returns: new ReturnSchedule(accounts), tenant: accounts.of('a', 0), accounts };
}

describe('who was told when to come back', () => {
  it('is known when he comes then, once, and not before', () => {
    const { returns, tenant } = schedule();
    returns.add(7, tenant, 100, 1_000, 5_000);
    expect([returns.size, tenant.promised]).toEqual([1, 100]);
    expect(returns.claim(7, 4_000)).toBeNull();
    expect(returns.claim(8, 5_000)).toBeNull();
    expect(returns.claim(7, 5_010)).toBe(1_000);
    expect(returns.claim(7, 5_020)).toBeNull();
    expect([returns.size, tenant.promised, tenant.idle]).toEqual([0, 0, true]);
  });

  it('may be several with the same request', () => {
    const { returns, tenant } = schedule();
    for (const at of [2_000, 3_000, 4_000]) returns.add(7, tenant, 1, at - 1_500, at);
    expect(returns.claim(7, 3_100)).toBe(500);
    expect(returns.claim(7, 3_100)).toBe(1_500);
    expect(returns.claim(7, 3_100)).toBeNull();
    expect(returns.claim(7, 4_100)).toBe(2_500);
  });

  it('is waited for a while, and forgotten then', () => {
    const { returns, tenant } = schedule();
    returns.add(7, tenant, 100, 0, 5_000);
    returns.add(8, tenant, 100, 0, 50_000);
    returns.sweep(6_999);
    expect(returns.size).toBe(2);
    returns.sweep(7_000);
    expect([returns.size, tenant.promised]).toEqual([1, 100]);
    expect(returns.claim(7, 7_001)).toBeNull();
    returns.sweep(54_999);
    expect(returns.claim(8, 54_999)).toBe(0);
  });

  it('tells what share of clients comes back', () => {
    const { returns, tenant } = schedule();
    expect(returns.share).toBe(1);
    for (let key = 0; key < 1_000; key++) {
      returns.add(key, tenant, 1, key * 10, key * 10);
      if (key % 4 === 0) expect(returns.claim(key, key * 10)).not.toBeNull();
      returns.sweep(key * 10);
    }
    expect(returns.share).toBeGreaterThan(0.1);
    expect(returns.share).toBeLessThan(0.5);
  });

  it('is forgotten beyond its bound', () => {
    const { returns, tenant } = schedule();
    for (let key = 0; key < 70_000; key++) returns.add(key % 3, tenant, 1, 0, 1_000);
    expect([returns.size, tenant.promised]).toEqual([65_536, 65_536]);
    returns.sweep(1e6);
    expect([returns.size, tenant.promised, tenant.idle]).toEqual([0, 0, true]);
  });

  it('leaves nothing behind, whatever comes', () => {
    const step = fc.record({
      key: fc.nat(3),
      wait: fc.nat(5_000),
      after: fc.nat(2_000),
      claims: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { returns, tenant } = schedule();
        let now = 0;
        let open = 0;
        for (const { key, wait, after, claims } of steps) {
          now += after;
          if (claims && returns.claim(key, now) !== null) open--;
          else {
            returns.add(key, tenant, 2, now, now + wait);
            open++;
          }
          const before = returns.size;
          returns.sweep(now);
          open -= before - returns.size;
          expect([returns.size, tenant.promised]).toEqual([open, 2 * open]);
        }
        returns.sweep(Infinity);
        expect([returns.size, tenant.promised]).toEqual([0, 0]);
      }),
    );
  });
});
