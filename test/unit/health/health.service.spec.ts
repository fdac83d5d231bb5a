import { Logger } from '@nestjs/common';
import type { SettingsStore } from '../../../src/config/settings-store.js';
import type { Engine } from '../../../src/core/engine.js';
import { Fleet } from '../../../src/core/fleet.js';
import { HealthService } from '../../../src/health/health.service.js';
import type { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import type { RequestStatsService } from '../../../src/stats/request-stats.service.js';

const engine = (id: string): Engine => ({
  id,
  url: `http://${id}:8000`,
  models: [{ id: 'tiny', parent: null }],
  labels: {},
});
const [a, b] = [engine('a'), engine('b')];

describe('the health of engines, as the log and the metrics tell it', () => {
  const counted = jest.fn();
  const inFlight = new Map<string, number>();
  let health: HealthService;
  let lines: string[];

  beforeEach(() => {
    jest.restoreAllMocks();
    counted.mockReset();
    inFlight.clear();
    lines = [];
    for (const level of ['warn', 'log'] as const) {
      jest
        .spyOn(Logger.prototype, level)
        .mockImplementation((...line: unknown[]) => void lines.push(String(line[0])));
    }
    health = new HealthService(
      { ejected: counted } as unknown as RouterMetrics,
      { ownInFlight: (id: string) => inFlight.get(id) ?? 0 } as unknown as RequestStatsService,
      { current: { maxEjectedShare: 0.5, engineDrainTimeout: 600 } } as unknown as SettingsStore,
    );
    health.retain(Fleet.empty.next([a, b], 0));
  });
  const eject = (at: number): void => health.failed(a, 'refused', at, at);
  const takeBack = (at: number): void => health.answered(a, 'contact', at, at);

  it('has one line for an ejection, however long it lasts, and one for the return', () => {
    eject(1_000);
    for (let at = 2_000; at < 600_000; at += 1_000) {
      health.sent(a, at);
      eject(at);
    }
    expect(lines).toEqual([
      expect.stringMatching(/^engine http:\/\/a:8000 is ejected for [45]\.\d s at first: refused$/),
    ]);
    takeBack(600_001);
    takeBack(600_002);
    expect(lines.slice(1)).toEqual(['engine http://a:8000 answers again']);
  });

  it('has three pairs of lines a minute of one that comes and goes, and then says how many it left out', () => {
    for (let at = 1_000; at < 59_000; at += 1_000) {
      eject(at);
      takeBack(at + 500);
    }
    expect(lines).toHaveLength(6);
    expect(counted.mock.calls).toEqual(Array.from({ length: 58 }, () => [a, 'refused']));
    eject(61_500);
    expect(lines.at(-1)).toMatch(/refused \(55 times more since the line before\)$/);
  });

  it('says it of an ejection that was left out when it lasts', () => {
    for (let at = 1_000; at < 6_000; at += 1_000) {
      eject(at);
      takeBack(at + 500);
    }
    eject(7_000);
    expect(lines).toHaveLength(6);
    // Once more by the request that finds it still refusing.
    health.sent(a, 100_000);
    eject(100_000);
    expect(lines).toHaveLength(7);
  });

  it('leaves to another process what that one has told', () => {
    health.learn('a', { what: 'ejected', cause: 'refused', at: 1_000, until: 6_000, inARow: 1 }, 1_000);
    health.learn('a', { what: 'back', sentAt: 2_000, at: 2_000 }, 2_000);
    takeBack(3_000);
    expect([lines, counted.mock.calls, health.state('a', 3_000)]).toEqual([[], [], 'ready']);
    health.learn('a', { what: 'ejected', cause: 'refused', at: 4_000, until: 9_000, inARow: 2 }, 4_000);
    takeBack(5_000);
    expect(lines).toEqual(['engine http://a:8000 answers again']);
  });

  it('knows that an engine drains as long as it has requests', () => {
    inFlight.set('a', 2);
    health.retain(Fleet.empty.next([b], 0));
    const now = performance.now();
    expect([health.state('a', now), health.leavers, health.draining]).toEqual(['draining', [a], 1]);
    inFlight.set('a', 1);
    health.ended(a, now);
    expect(health.state('a', now)).toBe('draining');
    inFlight.set('a', 0);
    health.ended(a, now);
    expect([health.state('a', now), health.leavers, health.draining]).toEqual(['gone', [], 0]);
  });
});
