import { Logger } from '@nestjs/common';
import type { Engine } from '../../../src/core/engine.js';
import { Fleet } from '../../../src/core/fleet.js';
import { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import { SetAsideService } from '../../../src/proxy/set-aside.service.js';

const engine = (id: string): Engine => ({
  id,
  url: `http://${id}:8000`,
  models: [{ id: 'm', parent: null }],
  labels: {},
});

describe('an engine that is set aside', () => {
  const [a, b] = [engine('a'), engine('b')];
  const counted = jest.fn();
  let setAside: SetAsideService;

  beforeEach(() => {
    counted.mockReset();
    setAside = new SetAsideService({ setAside: counted } as unknown as RouterMetrics);
  });

  it('is logged once while it stays dead, and once when it answers again', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation();
    for (let at = 1_000; at < 60_000; at += 6_000) setAside.add(a, 'refused', at);
    expect(warn.mock.calls).toEqual([['engine http://a:8000 is set aside for 5 s at a time: refused']]);
    setAside.clear(a, 54_000);
    expect(log).not.toHaveBeenCalled();
    setAside.clear(a, 61_000);
    setAside.clear(a, 62_000);
    expect(log.mock.calls).toEqual([['engine http://a:8000 answers again']]);
    jest.restoreAllMocks();
  });

  it('comes back after five seconds', () => {
    setAside.add(a, 'refused', 1_000);
    expect([setAside.has(a, 1_000), setAside.has(b, 1_000)]).toEqual([true, false]);
    expect([setAside.has(a, 5_999), setAside.has(a, 6_000)]).toEqual([true, false]);
  });

  it('stays so for five seconds more when it fails again, which counts as one time', () => {
    setAside.add(a, 'refused', 1_000);
    setAside.add(a, 'reset', 4_000);
    expect([setAside.has(a, 8_999), setAside.has(a, 9_000)]).toEqual([true, false]);
    expect(counted.mock.calls).toEqual([[a, 'refused']]);
    setAside.add(a, 'reset', 9_000);
    expect(counted).toHaveBeenCalledTimes(2);
  });

  it('comes back by an answer to what was sent after it had failed, not to what was sent before', () => {
    setAside.add(a, 'draining', 1_000);
    setAside.clear(a, 900);
    expect(setAside.has(a, 1_100)).toBe(true);
    setAside.clear(a, 1_050);
    expect(setAside.has(a, 1_100)).toBe(false);
  });

  it('by another process counts as set aside, and is neither counted nor logged here', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    setAside.learn('a', 1_000);
    setAside.add(a, 'refused', 1_500);
    expect([setAside.has(a, 6_000), setAside.has(a, 6_500)]).toEqual([true, false]);
    expect([counted.mock.calls, warn.mock.calls]).toEqual([[], []]);
    setAside.learn('b', 1_000);
    setAside.unlearn('b', 900);
    expect([...setAside.marks.keys()]).toEqual(['b']);
    setAside.unlearn('b', 1_100);
    expect(setAside.has(b, 1_200)).toBe(false);
    jest.restoreAllMocks();
  });

  it('is forgotten when it leaves the fleet', () => {
    setAside.add(a, 'refused', 1_000);
    setAside.add(b, 'refused', 1_000);
    setAside.retain(Fleet.empty.next([b], 0));
    expect([setAside.has(a, 1_001), setAside.has(b, 1_001)]).toEqual([false, true]);
  });
});
