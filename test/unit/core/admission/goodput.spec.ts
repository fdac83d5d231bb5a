import { type EngineProfile, PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { poissonArrivals } from '../../../../src/simulator/virtual/arrivals.js';
import type { VirtualRequest } from '../../../../src/simulator/virtual/virtual-request.js';
import { runGated, type Try } from '../../../support/gated-fleet.js';

const SECONDS = 40;
const TARGETS = { ttft: 4, tpot: 0.15 };
const GATE = { ...TARGETS, maxHeld: 1_000, maxPerEngine: 0 };
const engines = [PROFILES['l4-8b'], PROFILES['l4-8b']];
/** About what two of them sustain: at a tenth more nearly all first tokens come too late. */
const CAPACITY = 11;

const arrivals = (rate: number, seed: number, tenant = ''): VirtualRequest[] =>
  [
    ...poissonArrivals({
      ...{ seed, rate, count: Math.round(rate * SECONDS) },
      prompt: { kind: 'uniform', least: 125, most: 375 },
      output: { kind: 'uniform', least: 40, most: 80 },
    }),
  ].map((one) => ({ ...one, id: one.id * 8 + seed, session: tenant }));

const meets = ({ arrival, firstToken, end, tokens }: Try): boolean =>
  firstToken !== null &&
  end !== null &&
  firstToken - arrival <= TARGETS.ttft &&
  (end - firstToken) / (tokens - 1) <= TARGETS.tpot;

const goodput = (tries: readonly Try[]): number =>
  tries.filter((one) => one.arrival < SECONDS && meets(one)).length / SECONDS;

describe('a gate at twice the load that its engines can bear', () => {
  const bare = runGated({ engines, arrivals: arrivals(CAPACITY, 1), gate: null, until: 2 * SECONDS });
  const overload = { engines, arrivals: arrivals(2 * CAPACITY, 2), until: 3 * SECONDS };
  const gated = runGated({ ...overload, gate: GATE, returns: 1 });

  it('keeps nine tenths of what they can, where without it nothing is in time', () => {
    const without = goodput(runGated({ ...overload, gate: null }).tries);
    expect(goodput(gated.tries)).toBeGreaterThan(0.9 * goodput(bare.tries));
    expect(without).toBeLessThan(0.3 * goodput(bare.tries));
    const served = gated.tries.filter(({ dispatched }) => dispatched !== null);
    expect(served.filter(meets).length).toBeGreaterThan(0.95 * served.length);
  });

  it('serves nine of ten of those who come back when they were told to', () => {
    const again = gated.tries.filter(({ number }) => number === 2);
    expect(again.length).toBeGreaterThan(100);
    expect(again.filter(({ dispatched }) => dispatched !== null).length).toBeGreaterThan(0.9 * again.length);
    const waits = gated.tries.flatMap(({ refusal }) => (refusal ? [refusal.retryAfter] : []));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60);
  });

  it('counts back to nothing', () => {
    expect([gated.gate.held, gated.gate.requests, gated.gate.inFlight]).toEqual([0, 0, 0]);
  });

  it('does not let a loud tenant take what is the share of another', () => {
    const mixed = [...arrivals(CAPACITY / 2, 3, 'quiet'), ...arrivals(5 * CAPACITY, 4, 'loud')];
    const { tries } = runGated({
      ...{ engines, gate: GATE, returns: 0, until: 2 * SECONDS, tenantOf: ({ session }) => session },
      arrivals: mixed.sort((a, b) => a.arrival - b.arrival),
    });
    // The first seconds are those in which engines and gate find their pace.
    const settled = tries.filter(({ arrival }) => arrival > SECONDS / 2);
    const quiet = settled.filter(({ request }) => request.session === 'quiet');
    const inTime = quiet.filter(
      ({ arrival, firstToken }) => firstToken !== null && firstToken - arrival <= TARGETS.ttft / 4,
    );
    expect(inTime.length).toBeGreaterThan(0.95 * quiet.length);
    const loud = settled.filter(
      ({ request, dispatched }) => request.session === 'loud' && dispatched !== null,
    );
    expect(loud.length).toBeGreaterThan(0.5 * quiet.length);
  });
});

describe('a gate that meets the load when it has seen nothing yet', () => {
  it('finds within seconds what its engines can bear', () => {
    const profile = PROFILES['l4-8b'];
    const fast = Object.fromEntries(
      Object.entries(profile).map(([name, value]) => [
        name,
        name.includes('Seconds') ? (value as number) / 4 : value,
      ]),
    ) as unknown as EngineProfile;
    const targets = { ttft: TARGETS.ttft / 4, tpot: TARGETS.tpot / 4 };
    const { tries } = runGated({
      engines: [fast, fast],
      arrivals: arrivals(8 * CAPACITY, 6),
      gate: { ...GATE, ...targets },
      until: SECONDS,
      returns: 0,
    });
    const ended = tries.filter(({ end }) => end !== null);
    const slow = ended.filter(
      ({ firstToken, end, tokens }) => (end! - firstToken!) / (tokens - 1) > targets.tpot,
    );
    expect(ended.length).toBeGreaterThan(1_000);
    expect(slow.length).toBeLessThan(0.02 * ended.length);
  });
});

describe('a gate before engines that keep up', () => {
  it('refuses nothing and holds next to nothing', () => {
    const { tries } = runGated({
      engines,
      arrivals: arrivals(CAPACITY / 2, 5),
      gate: GATE,
      until: 2 * SECONDS,
    });
    expect(tries.filter(({ refusal }) => refusal !== null)).toEqual([]);
    const sentAtOnce = tries.filter(({ arrival, dispatched }) => arrival === dispatched);
    expect(sentAtOnce.length).toBeGreaterThan(0.99 * tries.length);
  });
});
