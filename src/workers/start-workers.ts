import { createServer } from 'node:net';
import { once } from 'node:events';
import { NestFactory } from '@nestjs/core';
import type { LoadedSettings } from '../config/load-settings.js';
import { toldListenError } from '../listen-error.js';
import { createLogger } from '../logging.js';
import type { Extensions } from '../plugins.js';
import { Primary } from './primary.js';
import { PrimaryModule } from './primary.module.js';
import { WorkerPool } from './worker-pool.js';

/** A router of several processes, from its primary. */
export interface RunningWorkers {
  /** Goes down the way `--shutdown-delay` and `--shutdown-timeout` say. Called again, it hurries. */
  shutDown(hurry?: boolean): Promise<void>;
}

/**
 * Starts `--workers` processes on one port, and what they share in this one.
 * @throws {SettingsError} when a setting cannot work, the port included
 */
export async function startWorkers(loaded: LoadedSettings, extensions: Extensions): Promise<RunningWorkers> {
  const { settings } = loaded;
  const port = await portFor(settings.host, settings.port);
  const logger = createLogger(settings);
  const app = await NestFactory.createApplicationContext(PrimaryModule.register(loaded, extensions), {
    logger,
    abortOnError: false,
  });
  const primary = app.get(Primary);
  try {
    await primary.start(port);
  } catch (error) {
    app.get(WorkerPool).kill();
    throw error;
  }
  logger.log(`listening on ${settings.host}:${port}`, 'vllm-router');
  let down: Promise<void> | null = null;
  return {
    shutDown: (hurry = false) => {
      const again = primary.shutDown(hurry || down !== null);
      down ??= again.then(() => app.close());
      return down;
    },
  };
}

/**
 * The port itself, or the free one that 0 stands for: a worker that starts later must get the same one.
 * @throws {SettingsError} when nobody can listen there
 */
async function portFor(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw toldListenError(error, host, port);
  }
  const { port: taken } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return taken;
}
