import type { Settings } from '../../config/settings.schema.js';
import type { EngineSpec } from '../../core/engine.js';
import { type DiscoveryStatus, EngineDiscovery } from '../engine-discovery.js';

/**
 * The engines that `--static-backends` lists. One URL listed for several models is one engine with
 * several models; without `--static-models` each engine is asked for its own.
 */
export class StaticDiscovery extends EngineDiscovery {
  static readonly providerName = 'static';
  static readonly reads = ['staticBackends', 'staticModels'] as const;

  readonly #engines: readonly EngineSpec[];
  #status: DiscoveryStatus = { state: 'starting', reason: null, since: Date.now() };

  /** @throws {Error} when the two lists differ in length */
  constructor(settings: Settings) {
    super();
    this.#engines = enginesOf(settings.staticBackends ?? [], settings.staticModels);
  }

  override get status(): DiscoveryStatus {
    return this.#status;
  }

  override async start(publish: (engines: readonly EngineSpec[]) => void): Promise<void> {
    this.#status = { state: 'synced', reason: null, since: Date.now() };
    publish(this.#engines);
  }

  override async stop(): Promise<void> {
    this.#status = { state: 'stopped', reason: 'the static list is no longer in force', since: Date.now() };
  }
}

function enginesOf(urls: readonly string[], models: readonly string[] | null): readonly EngineSpec[] {
  if (models && models.length > 0 && models.length !== urls.length) {
    throw new Error(
      `--static-models names ${models.length} models for the ${urls.length} URLs of --static-backends; give one for each`,
    );
  }
  const engines = new Map<string, { id: string; url: string; models?: string[] }>();
  urls.forEach((url, index) => {
    const engine = engines.get(url) ?? { id: url, url };
    engines.set(url, engine);
    const model = models?.[index];
    if (model !== undefined && !engine.models?.includes(model)) (engine.models ??= []).push(model);
  });
  return [...engines.values()];
}
