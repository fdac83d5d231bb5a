import fc from 'fast-check';
import { WorkerLedger } from '../../../src/workers/worker-ledger.js';

const NOTHING = { requests: 0, retries: 0, early: 0 };
const WORKERS = [1, 2, 3];
const ENGINES = ['a', 'b', 'c'];

describe('the ledger of the workers', () => {
  it('tells each worker what the others hold, once', () => {
    const ledger = new WorkerLedger();
    for (const worker of WORKERS) ledger.join(worker);
    ledger.enter(1, { inFlight: [['a', 2]], bodies: 100, budget: { requests: 5, retries: 1, early: 1 } });
    ledger.enter(2, { inFlight: [['a', 3]], bodies: 0, budget: NOTHING });
    expect(ledger.take(1)).toEqual({ inFlight: [['a', 3]], bodies: 0, budget: NOTHING });
    expect(ledger.take(3)).toEqual({
      inFlight: [['a', 5]],
      bodies: 100,
      budget: { requests: 5, retries: 1, early: 1 },
    });
    expect([ledger.take(1), ledger.take(3)]).toEqual([null, null]);
    expect(ledger.bodies).toBe(100);
  });

  it('has nothing of a worker that is gone', () => {
    const ledger = new WorkerLedger();
    for (const worker of WORKERS) ledger.join(worker);
    ledger.enter(1, { inFlight: [['a', 2]], bodies: 100, budget: NOTHING });
    expect(ledger.take(2)?.inFlight).toEqual([['a', 2]]);
    ledger.leave(1);
    expect(ledger.take(2)).toEqual({ inFlight: [['a', 0]], bodies: 0, budget: NOTHING });
    ledger.enter(1, { inFlight: [['a', 7]], bodies: 7, budget: NOTHING });
    expect([ledger.take(1), ledger.take(2), ledger.bodies]).toEqual([null, null, 0]);
  });

  it('adds up to the sum of the others, whatever comes in whatever order', () => {
    const step = fc.oneof(
      fc.record({
        worker: fc.constantFrom(...WORKERS),
        engine: fc.constantFrom(...ENGINES),
        count: fc.nat(9),
        bodies: fc.nat(1_000),
        requests: fc.nat(9),
        retries: fc.nat(3),
        early: fc.nat(3),
      }),
      fc.record({ worker: fc.constantFrom(...WORKERS), what: fc.constantFrom('take', 'restart') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new WorkerLedger();
        const held = new Map(WORKERS.map((worker) => [worker, new Map<string, number>()]));
        const bodies = new Map(WORKERS.map((worker) => [worker, 0]));
        const budget = new Map(WORKERS.map((worker) => [worker, { requests: 0, retries: 0, early: 0 }]));
        const told = new Map(WORKERS.map((worker) => [worker, new Map<string, number>()]));
        for (const worker of WORKERS) ledger.join(worker);
        const take = (worker: number): void => {
          const news = ledger.take(worker);
          for (const [engine, count] of news?.inFlight ?? []) told.get(worker)?.set(engine, count);
          expect(news?.budget ?? NOTHING).toEqual(budget.get(worker));
          budget.set(worker, { requests: 0, retries: 0, early: 0 });
          const others = WORKERS.filter((other) => other !== worker);
          if (news)
            expect(news.bodies).toBe(others.reduce((sum, other) => sum + (bodies.get(other) ?? 0), 0));
          for (const engine of ENGINES) {
            const sum = others.reduce((all, other) => all + (held.get(other)?.get(engine) ?? 0), 0);
            expect(told.get(worker)?.get(engine) ?? 0).toBe(sum);
          }
        };
        for (const one of steps) {
          const { worker } = one;
          if (!('what' in one)) {
            held.get(worker)?.set(one.engine, one.count);
            bodies.set(worker, one.bodies);
            const news = { requests: one.requests, retries: one.retries, early: one.early };
            ledger.enter(worker, { inFlight: [[one.engine, one.count]], bodies: one.bodies, budget: news });
            for (const other of WORKERS) {
              const before = budget.get(other) ?? NOTHING;
              if (other === worker) continue;
              const requests = before.requests + news.requests;
              const retries = before.retries + news.retries;
              budget.set(other, { requests, retries, early: before.early + news.early });
            }
          } else if (one.what === 'take') take(worker);
          else {
            ledger.leave(worker);
            ledger.join(worker);
            held.set(worker, new Map());
            told.set(worker, new Map());
            bodies.set(worker, 0);
            budget.set(worker, { requests: 0, retries: 0, early: 0 });
          }
        }
        for (const worker of WORKERS) take(worker);
      }),
    );
  });
});
