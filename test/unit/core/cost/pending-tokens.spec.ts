import fc from 'fast-check';
import { PeerLoads } from '../../../../src/core/cost/peer-loads.js';
import { type PendingPrompt, PendingTokens } from '../../../../src/core/cost/pending-tokens.js';

const prompt = (uncached: number): PendingPrompt => ({
  ...{ uncached, computedAt: Infinity, before: null, after: null, pending: false },
});

describe('PendingTokens', () => {
  it('holds the tokens of a stream until it is released', () => {
    const pending = new PendingTokens();
    const [one, two] = [prompt(100), prompt(30)];
    pending.addAwaited(one);
    pending.addAwaited(two);
    expect(pending.at(1e9)).toBe(130);
    pending.release(one);
    pending.release(one);
    expect(pending.at(0)).toBe(30);
  });

  it('reckons when prompts without a first token are computed, one after the other', () => {
    const pending = new PendingTokens();
    const [one, two] = [prompt(1_000), prompt(500)];
    pending.addReckoned(one, 0, 1_000);
    pending.addReckoned(two, 200, 1_000);
    expect([one.computedAt, two.computedAt]).toEqual([1_000, 1_700]);
    expect([0, 999, 1_000, 1_699, 1_700].map((now) => pending.at(now))).toEqual([1_500, 1_500, 500, 500, 0]);
    // Asking changes nothing, so an earlier time has the same answer as before.
    expect(pending.at(0)).toBe(1_500);
    pending.settle(1_000);
    expect(pending.at(0)).toBe(500);
    pending.release(two);
    expect(pending.at(0)).toBe(0);
  });

  it('is the sum of what is under way after any sequence', () => {
    const step = fc.record({ tokens: fc.nat({ max: 9_999 }), stream: fc.boolean(), ends: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const pending = new PendingTokens();
        const open: PendingPrompt[] = [];
        let now = 0;
        for (const { tokens, stream, ends } of steps) {
          now += 100;
          const one = prompt(tokens);
          if (stream) pending.addAwaited(one);
          else pending.addReckoned(one, now, 5_000);
          open.push(one);
          const [ended] = ends % 3 === 0 ? open.splice(ends % open.length, 1) : [];
          if (ended) pending.release(ended);
          const left = open.filter(({ computedAt }) => computedAt > now);
          expect(pending.at(now)).toBe(left.reduce((sum, { uncached }) => sum + uncached, 0));
          if (ends % 5 === 0) pending.settle(now);
        }
        for (const one of open) pending.release(one);
        expect(pending.at(0)).toBe(0);
      }),
    );
  });
});

describe('PeerLoads', () => {
  it('adds up what each process told last', () => {
    const peers = new PeerLoads();
    peers.heed(1, 'a', { pending: 100, inFlight: 2 });
    peers.heed(2, 'a', { pending: 50, inFlight: 1 });
    peers.heed(1, 'a', { pending: 10, inFlight: 1 });
    expect(peers.of('a')).toEqual({ pending: 60, inFlight: 2 });
    expect(peers.pending('a')).toBe(60);
    peers.forget(2);
    expect(peers.of('a')).toEqual({ pending: 10, inFlight: 1 });
    peers.heed(1, 'a', { pending: 0, inFlight: 0 });
    expect(peers.of('a')).toEqual({ pending: 0, inFlight: 0 });
  });

  it('takes figures that make no sense for nothing', () => {
    const peers = new PeerLoads();
    for (const odd of [NaN, -5, Infinity, 'x' as unknown as number]) {
      peers.heed(1, 'a', { pending: odd, inFlight: odd });
      expect(peers.of('a')).toEqual({ pending: 0, inFlight: 0 });
    }
  });

  it('keeps 10,000 engines of each process, and those that are retained', () => {
    const peers = new PeerLoads();
    for (let index = 0; index < 12_000; index++) peers.heed(1, `e${index}`, { pending: 1, inFlight: 1 });
    expect(peers.of('e9999').inFlight).toBe(1);
    expect(peers.of('e10000').inFlight).toBe(0);
    peers.retain((id) => id === 'e3');
    expect(peers.of('e3').inFlight).toBe(1);
    expect(peers.of('e4').inFlight).toBe(0);
  });
});
