import fc from 'fast-check';
import { NameTable } from '../../../../src/simulator/model/name-table.js';

const BLOCKS = 12;
/** Some of them share their low bits, and with that their place in the table. */
const NAMES = Array.from({ length: 20 }, (_, at) => (at % 5) + Math.floor(at / 5) * 2 ** 32);

const action = fc.record({
  name: fc.constantFrom(...NAMES),
  block: fc.nat(BLOCKS - 1),
  forget: fc.boolean(),
});

describe('a table of names', () => {
  it('finds what a map would find', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const names = new Float64Array(BLOCKS).fill(-1);
        const table = new NameTable(names);
        const map = new Map<number, number>();
        for (const { name, block, forget } of actions) {
          const held = names[block] as number;
          if (held !== -1) {
            table.delete(held);
            map.delete(held);
            names[block] = -1;
          } else if (!forget && !map.has(name)) {
            names[block] = name;
            table.set(name, block);
            map.set(name, block);
          }
          for (const one of NAMES) expect(table.get(one)).toBe(map.get(one) ?? -1);
          expect(table.size).toBe(map.size);
        }
        table.clear();
        expect(NAMES.map((one) => table.get(one))).toEqual(NAMES.map(() => -1));
      }),
    );
  });

  it('lets another block of the same name take the place of the first', () => {
    const names = new Float64Array(4).fill(-1);
    const table = new NameTable(names);
    names[0] = 7;
    table.set(7, 0);
    names[3] = 7;
    table.set(7, 3);
    expect([table.get(7), table.size]).toEqual([3, 1]);
  });
});
