import type { PreparedChange, Reconfigurable } from '../../../src/config/reconfigurable.js';
import { prepareAll } from '../../../src/dynamic-config/prepare-all.js';
import { load, STATIC } from '../config/load.js';

const { settings } = load({ argv: STATIC });
const part = (prepare: () => Promise<PreparedChange>): Reconfigurable => ({ prepare });

describe('prepareAll', () => {
  afterEach(() => jest.useRealTimers());

  it('gives every change, in the order of the parts', async () => {
    const changes = [1, 2].map(() => ({ commit: () => {}, discard: async () => {} }));
    const ready = await prepareAll(
      changes.map((change) => part(async () => change)),
      settings,
      1000,
    );
    expect(ready).toEqual(changes);
  });

  it('takes a throw without a promise as a failure', async () => {
    const broken = part(() => {
      throw new Error('at once');
    });
    await expect(prepareAll([broken], settings, 1000)).rejects.toThrow('at once');
  });

  it('gives up on a part that never ends, and discards what it builds later', async () => {
    jest.useFakeTimers();
    let finish: (change: PreparedChange) => void = () => {};
    const slow = part(() => new Promise((resolve) => (finish = resolve)));
    const failure = expect(prepareAll([slow], settings, 30_000)).rejects.toThrow(
      'it was not ready within 30 seconds',
    );
    await jest.advanceTimersByTimeAsync(30_000);
    await failure;
    const discarded = new Promise<void>((resolve) => {
      finish({ commit: () => {}, discard: async () => resolve() });
    });
    await discarded;
    expect(jest.getTimerCount()).toBe(0);
  });
});
