interface ChaosEvent {
  at: number;
  type: 'phase' | 'fault' | 'reload';
  engine: number;
  for: number;
  gone?: number[];
  phase: { at: number; length: number; kind: string; anchors: number[] };
}

const { makeSchedule, modelsOf } = require('../../../chaos/schedule.mjs') as {
  makeSchedule(wish: { seed: number; minutes: number; engines: number }): { events: ChaosEvent[] };
  modelsOf(engines: number): Record<string, number[]>;
};
const { RequestMaker } = require('../../../chaos/requests.mjs') as {
  RequestMaker: new (wish: { seed: number; rate: number }) => { next(): object };
};

describe('a run of chaos', () => {
  it('follows from its seed alone', () => {
    const schedule = (seed: number): string => JSON.stringify(makeSchedule({ seed, minutes: 5, engines: 6 }));
    const asks = (seed: number): string => {
      const maker = new RequestMaker({ seed, rate: 10 });
      return JSON.stringify(Array.from({ length: 50 }, () => maker.next()));
    };
    expect(schedule(7)).toBe(schedule(7));
    expect(schedule(7)).not.toBe(schedule(8));
    expect(asks(7)).toBe(asks(7));
    expect(asks(7)).not.toBe(asks(8));
  });

  it.each([2, 3, 6, 9])(
    'leaves one engine of each model alone where it says so, of %i engines',
    (engines) => {
      const models = Object.values(modelsOf(engines));
      for (let seed = 0; seed < 20; seed += 1) {
        let phase: ChaosEvent['phase'] | null = null;
        for (const event of makeSchedule({ seed, minutes: 5, engines }).events) {
          if (event.type === 'phase') {
            ({ phase } = event);
            for (const serving of models) {
              expect(serving.some((engine) => event.phase.anchors.includes(engine))).toBe(true);
            }
          } else if (event.type === 'reload') {
            expect(event.gone?.some((engine) => phase?.anchors.includes(engine)) ?? false).toBe(false);
          } else if (phase?.kind !== 'none') {
            expect(phase?.anchors).not.toContain(event.engine);
            expect(event.at + event.for).toBeLessThanOrEqual(phase!.at + phase!.length);
          }
        }
      }
    },
  );

  it('brings every fault about', () => {
    const { FAULTS } = require('../../../chaos/faults.mjs') as { FAULTS: object };
    const names = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      for (const event of makeSchedule({ seed, minutes: 10, engines: 6 }).events) {
        if (event.type === 'fault') names.add((event as unknown as { name: string }).name);
      }
    }
    expect([...names].sort()).toEqual(Object.keys(FAULTS).sort());
  });
});
