import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** `wanted` when it is free on this machine's loopback, else any port that is. */
export async function choosePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? wanted;
}

async function tryPort(port: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const bound = (server.address() as AddressInfo).port;
    server.close();
    await once(server, 'close');
    return bound;
  } catch {
    return null;
  }
}
