import { parseArgs } from 'node:util';
import { startSimulatedEngine } from './simulated-engine.js';

/**
 * A simulated engine as a process of its own. Prints one JSON line `{"url":...}` once it listens.
 * SIGTERM does what it mostly does to vLLM: the port refuses at once, requests in flight hang, and the
 * process stays until their clients have left.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      models: { type: 'string', default: 'simulated' },
      ttft: { type: 'string', default: '0' },
      interval: { type: 'string', default: '0' },
    },
  });
  const engine = await startSimulatedEngine({
    host: values.host,
    port: Number(values.port),
    models: values.models.split(',').map((name) => name.trim()),
    timeToFirstToken: Number(values.ttft),
    tokenInterval: Number(values.interval),
  });
  process.once('SIGTERM', () => engine.hangSilently());
  console.log(JSON.stringify({ url: engine.url }));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
