import { setImmediate as turn } from 'node:timers/promises';
import { atEndOfTurn, byEndOfTurn } from '../../../src/scheduling/end-of-turn.js';

const noting = (done: string[], name: string) => ({ endOfTurn: () => void done.push(name) });

describe('the end of a turn', () => {
  it('comes after all that waits for it has been told, and once for each', async () => {
    const done: string[] = [];
    byEndOfTurn(noting(done, 'answer'));
    atEndOfTurn(noting(done, 'request'));
    expect(done).toEqual([]);
    await turn();
    expect(done.toSorted()).toEqual(['answer', 'request']);
    await turn();
    expect(done).toHaveLength(2);
  });

  it('is not waited for by many who need not', async () => {
    const done: string[] = [];
    atEndOfTurn(noting(done, 'request'));
    for (let i = 0; i < 20; i++) byEndOfTurn(noting(done, String(i)));
    const early = done.length;
    expect(early).toBeGreaterThan(10);
    expect(done).toEqual(Array.from({ length: early }, (_, i) => String(i)));
    await turn();
    expect(done.toSorted()).toEqual([...Array(20).keys()].map(String).concat('request').toSorted());
  });

  it('is reached again by those who ask for it there', async () => {
    const done: string[] = [];
    byEndOfTurn({ endOfTurn: () => atEndOfTurn({ endOfTurn: () => byEndOfTurn(noting(done, 'last')) }) });
    for (let i = 0; i < 4 && done.length === 0; i++) await turn();
    expect(done).toEqual(['last']);
  });
});
