import { RestartBackoff } from '../../../src/workers/restart-backoff.js';

describe('the wait before a worker is started again', () => {
  it('is nothing at first, then doubles up to 30 s', () => {
    const backoff = new RestartBackoff();
    const waits = Array.from({ length: 10 }, () => backoff.next(10));
    expect(waits).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is nothing again after a worker that has served for a minute', () => {
    const backoff = new RestartBackoff();
    for (let i = 0; i < 5; i++) backoff.next(10);
    expect([backoff.next(60_000), backoff.next(59_999)]).toEqual([0, 500]);
  });
});
