import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import { DecisionLog } from '../../../src/decisions/decision-log.js';
import { Decisions, REMEMBERED } from '../../../src/decisions/decisions.service.js';
import { RouterRun } from '../../../src/decisions/router-run.js';
import type { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import { candidates, requestFacts } from '../../support/strategy.contract.js';

const decisionsWith = (allowExplain: boolean): Decisions => {
  const settings = new SettingsStore({ allowExplain, decisionLog: null } as Settings);
  const run = new RouterRun();
  return new Decisions(settings, new DecisionLog(settings, run, {} as RouterMetrics), run);
};
const ranking = (count: number) => candidates(count).map((candidate) => ({ candidate, reason: 'as listed' }));

describe('decisions', () => {
  it('are followed when somebody wants to know, and only then', () => {
    const off = decisionsWith(false);
    expect(off.begin(requestFacts(), 'roundrobin', ranking(1), 0)).toBeNull();
    expect(off.latest(10)).toEqual([]);
    expect(decisionsWith(true).begin(requestFacts(), 'roundrobin', ranking(1), 0)).not.toBeNull();
  });

  it('are remembered up to a number, the newest first, with the best places', () => {
    const decisions = decisionsWith(true);
    const total = 2 * REMEMBERED + 7;
    for (let n = 0; n < total; n++) {
      decisions.begin({ ...requestFacts(), id: String(n) }, 'roundrobin', ranking(40), n);
    }
    const latest = decisions.latest(10_000);
    expect(latest.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: REMEMBERED }, (_, n) => total - 1 - n),
    );
    expect(latest[0]).toMatchObject({ candidates: 40, attempts: [], engine: null, outcome: null });
    expect(latest[0]?.ranking).toHaveLength(16);
    expect(decisions.latest(3)).toEqual(latest.slice(0, 3));
  });

  it('name sessions so that nobody can tell whose they are, alike within one run', () => {
    const [one, two] = [new RouterRun(), new RouterRun()];
    expect(one.nameOf('somebody')).toBe(new RouterRun(one.key, 3).nameOf('somebody'));
    expect(one.nameOf('somebody')).not.toBe(one.nameOf('somebody else'));
    expect(one.nameOf('somebody')).not.toBe(two.nameOf('somebody'));
    expect(one.name).not.toBe(two.name);
  });
});
