import { StrategyRelay } from '../../../src/workers/strategy-relay.js';

const told = (news: unknown) => ({ key: 'k', news });

describe('what strategies tell each other', () => {
  it('reaches all other workers, in order and once', () => {
    const relay = new StrategyRelay();
    for (const worker of [1, 2, 3]) relay.join(worker);
    relay.enter(1, told('a'));
    relay.enter(2, told('b'));
    relay.enter(1, told('c'));
    const heard = (worker: number) => relay.take(worker)?.map(({ from, told: one }) => [from, one?.news]);
    expect(heard(1)).toEqual([[2, 'b']]);
    expect(heard(3)).toEqual([
      [1, 'a'],
      [2, 'b'],
      [1, 'c'],
    ]);
    expect(heard(3)).toBeUndefined();
  });

  it('is heard from when a worker begins, and ends with the news that another one is gone', () => {
    const relay = new StrategyRelay();
    relay.join(1);
    relay.enter(1, told('before'));
    relay.join(2);
    relay.enter(1, told('a'));
    relay.leave(1);
    relay.enter(1, told('late'));
    expect(relay.take(2)).toEqual([
      { from: 1, told: told('a') },
      { from: 1, told: null },
    ]);
    relay.join(1);
    expect(relay.take(1)).toBeNull();
  });

  it('is given up, all of one worker together, when a worker does not take it', () => {
    const relay = new StrategyRelay();
    for (const worker of [1, 2, 3]) relay.join(worker);
    relay.enter(3, told('kept'));
    for (let n = 0; n < 100_000; n++) relay.enter(1, told(n));
    const waiting = relay.take(2) ?? [];
    expect(waiting.length).toBeLessThanOrEqual(513);
    expect(waiting[0]).toEqual({ from: 3, told: told('kept') });
    // What is left of worker 1 is preceded by the word that something is lost.
    const first = waiting.findIndex(({ from }) => from === 1);
    expect(waiting[first]).toEqual({ from: 1, told: null });
    const last = waiting.at(-1)?.told?.news;
    expect(last === undefined || last === 99_999).toBe(true);
  });

  it('ends with the news that a worker is gone also where much waits', () => {
    const relay = new StrategyRelay();
    const others = Array.from({ length: 63 }, (_, at) => at + 2);
    for (const worker of [1, ...others]) relay.join(worker);
    relay.leave(2);
    for (let n = 0; n < 511; n++) relay.enter(3, told(n));
    for (const worker of others.slice(2)) relay.enter(worker, told('one'));
    const waiting = relay.take(1) ?? [];
    expect(waiting[0]).toEqual({ from: 2, told: null });
    expect(waiting.length).toBeLessThanOrEqual(512 + others.length);
  });
});
