import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { readTextFileSync } from '../../src/config/read-text-file.js';
import { createLogger } from '../../src/logging.js';
import { settingsSources } from '../../src/plugins.js';
import type { StrategyClass } from '../../src/routing/routing-strategy.js';
import { startApp, type RunningRouter } from '../../src/serve.js';
import { until } from './until.js';

/** An engine to send to: where it is, and the names it serves. */
export interface BackedEngine {
  readonly url: string;
  readonly models: readonly (string | { readonly id: string })[];
}

/** The flags that make a router send to these engines, round robin, quietly and on a free port of loopback. */
export function flagsFor(engines: readonly BackedEngine[], flags: readonly string[] = []): string[] {
  const served = engines.flatMap(({ url, models }) =>
    models.map((model) => ({ url, model: typeof model === 'string' ? model : model.id })),
  );
  const quiet = flags.includes('--log-level') ? [] : ['--log-level', 'fatal'];
  const common = ['--host', '127.0.0.1', '--port', '0', ...quiet];
  const backends = [
    '--service-discovery',
    'static',
    '--static-backends',
    served.map(({ url }) => url).join(','),
  ];
  const models = ['--static-models', served.map(({ model }) => model).join(',')];
  const routing = flags.includes('--routing-logic') ? [] : ['--routing-logic', 'roundrobin'];
  return [...common, ...backends, ...models, ...routing, ...flags];
}

/**
 * Starts the whole router in this process; resolves once it knows its engines.
 * @param strategies beside the built-in ones, as a plugin brings them
 */
export async function startTestRouter(
  engines: readonly BackedEngine[],
  flags: readonly string[] = [],
  strategies: readonly StrategyClass[] = [],
): Promise<RunningRouter> {
  const extensions = { strategies, discoveries: [], settings: {} };
  const argv = flagsFor(engines, flags);
  const loaded = loadSettings({
    argv,
    env: {},
    readFile: readTextFileSync,
    ...settingsSources(extensions),
  });
  const { settings } = loaded;
  const router = await startApp(AppModule.register(loaded, extensions), settings, createLogger(settings));
  await until(async () => (await fetch(`${router.url}/ready`)).ok);
  return router;
}
