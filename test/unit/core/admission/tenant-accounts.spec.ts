import { MOST_TENANTS, TenantAccounts } from '../../../../src/core/admission/tenant-accounts.js';

function namesOf(accounts: TenantAccounts): string[] {
  const names: string[] = [];
  for (let one = accounts.firstActive; one !== null; one = one.after) names.push(one.name);
  return names.sort();
}

describe('the accounts of tenants', () => {
  it('lift a tenant that comes to the least of the active ones', () => {
    const accounts = new TenantAccounts();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => accounts.of(name, 0)) as [
      ReturnType<TenantAccounts['of']>,
      ReturnType<TenantAccounts['of']>,
      ReturnType<TenantAccounts['of']>,
    ];
    accounts.begin(a);
    accounts.charge(a, 500);
    accounts.refresh();
    accounts.begin(b);
    expect(b.service).toBe(500);
    accounts.charge(b, 200);
    accounts.refresh();
    accounts.begin(c);
    expect(c.service).toBe(500);
    // One that is active keeps what it has, and one that has more keeps that.
    accounts.begin(b);
    expect(b.service).toBe(700);
    for (const tenant of [a, b, b, c]) accounts.end(tenant);
    // When all have gone, the last one that went is where others start.
    const d = accounts.of('d', 0);
    accounts.begin(d);
    expect(d.service).toBe(500);
    accounts.begin(b);
    expect(b.service).toBe(700);
  });

  it('keep a tenant active while it is promised something', () => {
    const accounts = new TenantAccounts();
    const [a, b] = [accounts.of('a', 0), accounts.of('b', 0)];
    accounts.promise(a, 10, 5_000);
    accounts.charge(a, 50);
    accounts.begin(b);
    expect(namesOf(accounts)).toEqual(['a', 'b']);
    expect([a.dueWithin(1_000, 2_000), a.dueWithin(1_000, 4_000)]).toEqual([0, 10]);
    accounts.promise(a, -10, 5_000);
    expect(a.dueWithin(1_000, 4_000)).toBe(0);
    expect([a.promised, namesOf(accounts)]).toEqual([0, ['b']]);
  });

  it('never owe a tenant anything', () => {
    const accounts = new TenantAccounts();
    const tenant = accounts.of('a', 0);
    accounts.charge(tenant, 5);
    accounts.charge(tenant, -50);
    expect(tenant.service).toBe(0);
  });

  it('are bounded, forget who was not seen for longest, and never one that is active', () => {
    const accounts = new TenantAccounts();
    const active = accounts.of('active', 0);
    accounts.begin(active);
    const second = accounts.of('second', 1);
    for (let at = 2; at < MOST_TENANTS; at++) accounts.of(`t${at}`, at);
    accounts.of('second', MOST_TENANTS);
    expect(accounts.size).toBe(MOST_TENANTS);
    accounts.of('one more', MOST_TENANTS + 1);
    expect(accounts.size).toBe(MOST_TENANTS * 0.9 + 1);
    expect(accounts.of('active', 0)).toBe(active);
    expect(accounts.of('second', 0)).toBe(second);
  });

  it('are one for all further tenants when all are active', () => {
    const accounts = new TenantAccounts();
    for (let at = 0; at < MOST_TENANTS; at++) accounts.begin(accounts.of(`t${at}`, at));
    const more = accounts.of('more', 0);
    expect(accounts.of('even more', 0)).toBe(more);
    expect(accounts.size).toBe(MOST_TENANTS);
  });
});
