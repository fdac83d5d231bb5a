import 'reflect-metadata';
import type { Server } from 'node:http';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { loadSettings, type LoadedSettings, readPluginPaths } from './config/load-settings.js';
import { readTextFileSync } from './config/read-text-file.js';
import type { Settings } from './config/settings.schema.js';
import { ConnectionLimit, shareOfConnections } from './connection-limit.js';
import { checkDecisionLog } from './decisions/decision-log.js';
import { createHttpAdapter, followTls, takeFirst } from './http-server.js';
import { toldListenError } from './listen-error.js';
import { createLogger } from './logging.js';
import { RouterMetrics } from './metrics/router-metrics.js';
import { AdminServer } from './operations/admin-server.js';
import { DrainService } from './operations/drain.service.js';
import { type Extensions, loadPlugins, settingsSources } from './plugins.js';
import { ShortWay } from './proxy/short-way.js';
import { checkSecurityFiles } from './security/check-files.js';
import { FollowedFiles } from './security/followed-files.js';

/** A router that serves. */
export interface RunningRouter {
  /** Where it listens, e.g. `http://127.0.0.1:8001`. */
  readonly url: string;
  /** Where `--admin-port` listens; null without it. */
  readonly adminPort: number | null;
  /** Stops at once. */
  close(): Promise<void>;
  /** Goes down the way `--shutdown-delay` and `--shutdown-timeout` say. Called again, it hurries. */
  shutDown(hurry?: boolean): Promise<void>;
}

/**
 * Starts a router from flags and environment, in this process alone: `--workers` is for the command line.
 * @throws {SettingsError} with every problem of the settings
 */
export async function startRouter(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<RunningRouter> {
  const { loaded, extensions } = await load(argv, env);
  return startAlone(loaded, extensions);
}

async function load(argv: readonly string[], env: NodeJS.ProcessEnv) {
  const extensions = await loadPlugins(readPluginPaths(argv, env, readTextFileSync));
  const loaded = loadSettings({
    argv,
    env,
    readFile: readTextFileSync,
    ...settingsSources(extensions),
  });
  // Inside Nest's start the same error would come with its stack.
  checkSecurityFiles(loaded.settings);
  if (loaded.settings.decisionLog !== null) checkDecisionLog(loaded.settings.decisionLog);
  return { loaded, extensions };
}

async function startAlone(loaded: LoadedSettings, extensions: Extensions): Promise<RunningRouter> {
  const { settings } = loaded;
  const logger = createLogger(settings);
  const router = await startApp(AppModule.register(loaded, extensions), settings, logger);
  logger.log(`listening on ${settings.host}:${new URL(router.url).port}`, 'vllm-router');
  return router;
}

/**
 * Starts the server of one process.
 * @throws {SettingsError} when nobody can listen there
 */
export async function startApp(
  module: DynamicModule,
  settings: Settings,
  logger: LoggerService,
): Promise<RunningRouter> {
  const app = await NestFactory.create<NestFastifyApplication>(module, createHttpAdapter(settings), {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  const { host, port } = settings;
  try {
    await app.init();
    followTls(app.getHttpServer(), settings, app.get(FollowedFiles, { strict: false }));
    takeBeforeFastify(app, settings);
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    await app.close();
    throw toldListenError(error, host, port);
  }
  return running(app, await app.getUrl());
}

/** The limit on connections, and the short way of requests for the API. */
function takeBeforeFastify(app: NestFastifyApplication, { maxConnections, workers }: Settings): void {
  const server: Server = app.getHttpServer();
  const shortWay = app.get(ShortWay, { strict: false });
  const short = shortWay.open ? shortWay.take : null;
  if (maxConnections === 0) {
    if (short !== null) takeFirst(server, short);
    return;
  }
  const metrics = app.get(RouterMetrics, { strict: false });
  const most = shareOfConnections(maxConnections, workers);
  const limit = new ConnectionLimit(most, () => metrics.connectionRefused());
  limit.follow(server);
  takeFirst(
    server,
    (request, response) => limit.take(request, response) || (short !== null && short(request, response)),
  );
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
    adminPort: app.get(AdminServer, { strict: false }).port,
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
  let router: Pick<RunningRouter, 'shutDown'> | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    // Nothing is under way before the start is over. Process 1 of a container has no default for signals.
    if (router === null) process.exit(0);
    // Ctrl-C comes from somebody who waits; the delay is for load balancers, which send SIGTERM.
    else void router.shutDown(signal === 'SIGINT').then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const { loaded, extensions } = await load(argv, env);
  router =
    loaded.settings.workers > 1
      ? await (await import('./workers/start-workers.js')).startWorkers(loaded, extensions)
      : await startAlone(loaded, extensions);
}
