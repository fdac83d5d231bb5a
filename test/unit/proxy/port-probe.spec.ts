import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Engine } from '../../../src/core/engine.js';
import { PortProbe } from '../../../src/proxy/port-probe.js';

describe('the probe of a silent engine’s port', () => {
  const engineAt = (url: string): Engine => ({ id: url, url, models: [], labels: {} });

  it('calls the engine dead after two refusals a second apart, and not before', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const engine = engineAt(`http://127.0.0.1:${port}`);
    let now = 1_000_000;
    const dead = new Promise<number>((resolve) => {
      const probe = new PortProbe(() => resolve(now));
      const sweep = (): void => {
        probe.suspect(engine, now);
        now += 250;
        if (now < 1_010_000) setTimeout(sweep, 2);
      };
      sweep();
    });
    expect(await dead).toBeGreaterThanOrEqual(1_001_000);
  });

  it('does not call an engine dead that accepts connections', async () => {
    let accepted = 0;
    const server = createServer((socket) => {
      accepted++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const died = jest.fn();
    const probe = new PortProbe(died);
    const engine = engineAt(`http://localhost:${(server.address() as AddressInfo).port}/prefix`);
    for (let now = 0; accepted < 3; now += 250) {
      probe.suspect(engine, now);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(died).not.toHaveBeenCalled();
    server.close();
  });
});
