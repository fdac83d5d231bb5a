import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { loadSettings, readPluginPaths } from './config/load-settings.js';
import { readTextFileSync } from './config/read-text-file.js';
import { SettingsError } from './config/settings-error.js';
import { createHttpAdapter, takeFirst } from './http-server.js';
import { createLogger } from './logging.js';
import { DrainService } from './operations/drain.service.js';
import { loadPlugins, settingsSources } from './plugins.js';
import { ShortWay } from './proxy/short-way.js';

/** A router that serves. */
export interface RunningRouter {
  /** Where it listens, e.g. `http://127.0.0.1:8001`. */
  readonly url: string;
  /** Stops at once. */
  close(): Promise<void>;
  /** Goes down the way `--shutdown-delay` and `--shutdown-timeout` say. Called again, it hurries. */
  shutDown(hurry?: boolean): Promise<void>;
}

/**
 * Starts a router from flags and environment.
 * @throws {SettingsError} with every problem of the settings
 */
export async function startRouter(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<RunningRouter> {
  const extensions = await loadPlugins(readPluginPaths(argv, env, readTextFileSync));
  const loaded = loadSettings({
    argv,
    env,
    readFile: readTextFileSync,
    ...settingsSources(extensions),
  });
  const { settings } = loaded;
  const logger = createLogger(settings);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(loaded, extensions),
    createHttpAdapter(settings),
    { bodyParser: false, logger, abortOnError: false },
  );
  await app.init();
  const shortWay = app.get(ShortWay, { strict: false });
  if (shortWay.open) takeFirst(app.getHttpServer(), shortWay.take);
  await listen(app, settings.host, settings.port);
  const url = await app.getUrl();
  logger.log(`listening on ${settings.host}:${new URL(url).port}`, 'vllm-router');
  return running(app, url);
}

async function listen(app: NestFastifyApplication, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    await app.close();
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new SettingsError([`--port ${port}: another process listens there already; give a free port`]);
    }
    if (code === 'EACCES')
      throw new SettingsError([`--port ${port}: this user may not listen there; give a port above 1023`]);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new SettingsError([`--host ${host}: this machine has no such address (${message})`]);
    }
    throw error;
  }
}

function running(app: NestFastifyApplication, url: string): RunningRouter {
  const drain = app.get(DrainService);
  const server = app.getHttpServer();
  let down: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await app.close();
  };
  return {
    url,
    close,
    shutDown: (hurry = false) => {
      if (hurry || down !== null) drain.hurry();
      down ??= drain.drain(server).then(close);
      return down;
    },
  };
}

/** `vllm-router [flags]`: serves until SIGTERM or SIGINT. */
export async function serve(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  let router: RunningRouter | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    // Nothing is under way before the start is over. Process 1 of a container has no default for signals.
    if (router === null) process.exit(0);
    // Ctrl-C comes from somebody who waits; the delay is for load balancers, which send SIGTERM.
    else void router.shutDown(signal === 'SIGINT').then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  router = await startRouter(argv, env);
}
