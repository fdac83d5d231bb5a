import 'reflect-metadata';
import cluster from 'node:cluster';
import { SettingsError } from '../config/settings-error.js';
import { createLogger } from '../logging.js';
import { loadPlugins } from '../plugins.js';
import { startApp } from '../serve.js';
import { setLoadFlags } from '../v8-flags.js';
import { PrimaryLink } from './primary-link.js';
import { WorkerModule } from './worker.module.js';

/** One worker, as the primary starts it: serves until the primary says otherwise, or is gone. */
async function main(): Promise<void> {
  // Ctrl-C reaches every process of the terminal; the primary decides what it means.
  process.on('SIGINT', () => {});
  const link = await PrimaryLink.begin();
  const { loaded, number, port } = link.beginning;
  const { settings } = loaded;
  const extensions = await loadPlugins(settings.plugin);
  const logger = createLogger(settings, number);
  const router = await startApp(WorkerModule.register(link, extensions), { ...settings, port }, logger);
  setLoadFlags();

  let leaving = false;
  const leave = (hurry: boolean): void => {
    if (leaving && !hurry) return;
    leaving = true;
    void router.shutDown(hurry).then(() => process.exit(0));
  };
  link.on('shutDown', ({ hurry }) => leave(hurry));
  process.on('SIGTERM', () => leave(false));
  cluster.worker?.on('disconnect', () => {
    // The primary is gone. node:cluster would exit here and cut every stream, unless the end is a wanted one.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    if (!leaving) logger.warn('the primary process is gone: shutting down', 'vllm-router');
    leave(false);
  });
  link.open();
  link.tell({ type: 'listening' });
}

main().catch((error: unknown) => {
  const settings = error instanceof SettingsError;
  const problems = settings ? error.problems : [error instanceof Error ? error.message : String(error)];
  const exit = (): never => process.exit(1);
  if (process.connected) process.send?.({ type: 'refused', problems, settings }, undefined, undefined, exit);
  else exit();
});
