import { backoff, mayHaveReached } from '../../../src/core/sole-engine-backoff.js';

describe('trying the only engine of a model again', () => {
  it('takes three waits that double, half of each by chance', () => {
    const waits = (chance: number) => [0, 1, 2, 3].map((tries) => backoff('refused', tries, chance));
    expect(waits(0)).toEqual([250, 500, 1_000, null]);
    expect(waits(0.5)).toEqual([375, 750, 1_500, null]);
    expect(Math.max(...waits(0.999_999).map(Number))).toBeLessThan(2_000);
  });

  it('is for what got nothing of an answer, and not for what was late or answered', () => {
    for (const cause of ['refused', 'unresolved', 'no_socket', 'reset', 'dead'] as const)
      expect(backoff(cause, 0, 0)).toBe(250);
    const others = ['connect_timeout', 'first_byte_timeout', 'total_timeout', 'request_deadline'] as const;
    for (const cause of [...others, 'busy', 'http_5xx', 'garbage', 'tls', 'stalled', 'shutdown'] as const)
      expect(backoff(cause, 0, 0)).toBeNull();
    expect([mayHaveReached('refused'), mayHaveReached('reset'), mayHaveReached('dead')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
