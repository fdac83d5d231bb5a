import { HostUsage, type HostSources } from '../../../src/metrics/host-usage.js';

function host() {
  const sources = {
    cpu: { busy: 100, all: 1000 },
    disks: [] as ((disk: { used: number; available: number }) => void)[],
    looks: 0,
  };
  const read: HostSources = {
    cpuTimes: () => ({ ...sources.cpu }),
    memory: () => ({ free: 25, all: 100 }),
    disk: () => {
      sources.looks++;
      return new Promise((resolve) => sources.disks.push(resolve));
    },
    openFiles: () => Promise.reject(new Error('not here')),
  };
  return { sources, usage: new HostUsage(read) };
}

describe('HostUsage', () => {
  it('tells the share of processor time since the reading before', () => {
    const { sources, usage } = host();
    expect(usage.cpuPercent()).toBeNull();
    sources.cpu = { busy: 150, all: 1100 };
    expect(usage.cpuPercent()).toBe(50);
    expect(usage.cpuPercent()).toBe(50);
    sources.cpu = { busy: 150, all: 1200 };
    expect(usage.cpuPercent()).toBe(0);
  });

  it('tells the share of memory in use', () => {
    expect(host().usage.memoryPercent()).toBe(75);
  });

  it('tells what the last look at the disk found, and never waits for one', async () => {
    const { sources, usage } = host();
    for (let i = 0; i < 5; i++) expect(usage.diskPercent()).toBeNull();
    expect(sources.looks).toBe(1);
    sources.disks[0]?.({ used: 30, available: 90 });
    await new Promise(setImmediate);
    expect(usage.diskPercent()).toBe(25);
    expect(sources.looks).toBe(2);
    expect(usage.openFiles()).toBeNull();
  });
});
