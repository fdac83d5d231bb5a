import * as fc from 'fast-check';
import type { Engine } from '../../../../src/core/engine.js';
import { Fleet } from '../../../../src/core/fleet.js';
import { LONGEST_EJECTION } from '../../../../src/core/health/ejection-length.js';
import { FAILURE_RULES, type HealthCause, type Proof } from '../../../../src/core/health/failure-rules.js';
import { FleetHealth } from '../../../../src/core/health/fleet-health.js';
import type { HealthNews } from '../../../../src/core/health/health-news.js';

const ENGINES: readonly Engine[] = ['a', 'b'].map((id) => ({
  id,
  url: `http://${id}`,
  models: [{ id: 'tiny', parent: null }],
  labels: {},
}));
const CAUSES = Object.keys(FAILURE_RULES) as HealthCause[];

/** Three processes whose news wait until they are delivered, each line in its order. */
class Processes {
  now = 1_000;
  readonly all = [0, 1, 2].map(() => new FleetHealth({ maxEjectedShare: () => 0.5, random: () => 0 }));
  readonly #lines: [engineId: string, news: HealthNews][][] = [[], [], []];

  constructor() {
    this.all.forEach((health, from) => {
      health.follow(Fleet.empty.next(ENGINES, 0), () => null, this.now);
      health.onNews = ({ id }, news) =>
        this.#lines.forEach((line, to) => void (to !== from && line.push([id, news])));
    });
  }

  deliver(to: number, count: number): void {
    for (const [id, news] of this.#lines[to]!.splice(0, count)) this.all[to]!.learn(id, news, this.now);
  }
}

type Step = (processes: Processes) => void;
const aProcess = fc.nat(2);
const anEngine = fc.constantFrom(...ENGINES);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.oneof(fc.nat(100), fc.constantFrom(5_000, 20_000)).map((ms) => (it: Processes) => void (it.now += ms)),
  fc
    .tuple(aProcess, anEngine, fc.constantFrom(...CAUSES), fc.integer({ min: 1, max: 3 }))
    .map(([at, engine, cause, times]) => (it: Processes) => {
      for (let n = 0; n < times; n++) it.all[at]!.failed(engine, cause, it.now, it.now);
    }),
  fc.tuple(aProcess, anEngine, fc.constantFrom<Proof>('contact', 'output')).map(
    ([at, engine, proof]) =>
      (it: Processes) =>
        it.all[at]!.answered(engine, proof, it.now - 1, it.now),
  ),
  // One that ends without a word, as that of a worker which is killed.
  fc.tuple(aProcess, anEngine).map(([at, engine]) => (it: Processes) => {
    it.all[at]!.sent(engine, it.now);
    it.all[at]!.ended(engine, it.now);
  }),
  fc.tuple(aProcess, fc.nat(5)).map(
    ([to, count]) =>
      (it: Processes) =>
        it.deliver(to, count),
  ),
);

it('leaves no engine out for ever in any process, in whatever order they hear of each other', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 100, size: 'max' }), (sequence) => {
      const processes = new Processes();
      for (const step of sequence) step(processes);
      for (const to of [0, 1, 2]) processes.deliver(to, Infinity);
      processes.now += LONGEST_EJECTION;
      for (const health of processes.all) {
        for (const engine of ENGINES)
          if (!health.mayTry(engine, processes.now)) throw new Error(`${engine.id} is out`);
      }
      // Each finds out with its next request, if no other has told it.
      for (const health of processes.all) {
        processes.now += 1;
        for (const engine of ENGINES) {
          health.answered(engine, 'output', processes.now, processes.now);
          if (health.state(engine.id, processes.now) !== 'ready') throw new Error(`${engine.id} is not back`);
        }
      }
    }),
    { numRuns: 400 },
  );
});
