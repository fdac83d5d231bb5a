import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@nestjs/common';
import type { Settings } from '../config/settings.schema.js';
import type { EngineSpec } from '../core/engine.js';
import type { DiscoveryProvider } from './discovery-provider.js';
import type { DiscoveryStatus, EngineDiscovery } from './engine-discovery.js';

/** Engines taken from one provider; those beyond it are left out, and a log line says so. */
const MAX_ENGINES = 10_000;

const log = new Logger('Discovery');

type Deliver = (engines: readonly EngineSpec[]) => void;

/**
 * A discovery that has been started. What it publishes is kept (the last set alone) until someone
 * attaches, so that a reload can start the next one beside the one in force.
 */
export class RunningDiscovery {
  readonly #provider: DiscoveryProvider;
  readonly #settings: Settings;
  readonly #discovery: EngineDiscovery;
  #kept: readonly EngineSpec[] | null = null;
  #deliver: Deliver | null = null;
  #stopped = false;
  readonly #began = Date.now();

  private constructor(provider: DiscoveryProvider, settings: Settings) {
    this.#provider = provider;
    this.#settings = settings;
    this.#discovery = new provider(settings);
  }

  /** @throws {Error} one sentence for the operator when the settings cannot work */
  static async start(provider: DiscoveryProvider, settings: Settings): Promise<RunningDiscovery> {
    const running = new RunningDiscovery(provider, settings);
    try {
      await running.#discovery.start((engines) => running.#publish(engines));
    } catch (error) {
      await running.stop().catch(() => {});
      throw error;
    }
    return running;
  }

  get name(): string {
    return this.#provider.providerName;
  }

  get status(): DiscoveryStatus {
    try {
      return this.#discovery.status;
    } catch {
      return { state: 'degraded', reason: `${this.name} cannot tell its state`, since: this.#began };
    }
  }

  /** Whether `next` asks for what runs here already. */
  suits(next: Settings): boolean {
    return (
      next.serviceDiscovery === this.name &&
      (this.#provider.reads ?? []).every((key) => isDeepStrictEqual(next[key], this.#settings[key]))
    );
  }

  /** From here on `deliver` gets each set, first the one that is kept, if there is one. */
  attach(deliver: Deliver): void {
    this.#deliver = deliver;
    if (this.#kept) deliver(this.#kept);
    this.#kept = null;
  }

  /** Nothing is delivered after the call, whatever the discovery does. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#discovery.stop();
  }

  #publish(engines: readonly EngineSpec[]): void {
    if (this.#stopped) return;
    const distinct = distinctEngines(engines);
    if (this.#deliver) this.#deliver(distinct);
    else this.#kept = distinct;
  }
}

/** A provider may be anyone's: what is no engine, and an id that was there before, is left out. */
function distinctEngines(engines: readonly EngineSpec[]): readonly EngineSpec[] {
  const distinct = new Map<string, EngineSpec>();
  for (const engine of engines) {
    if (typeof engine?.id !== 'string' || !URL.canParse(engine.url)) {
      log.error(`discovery named an engine without an id or with a bad URL: ${engine?.url}`);
    } else if (distinct.size === MAX_ENGINES) {
      log.error(`discovery found ${engines.length} engines; the first ${MAX_ENGINES} are followed`);
      break;
    } else if (!distinct.has(engine.id)) {
      distinct.set(engine.id, { ...engine, url: engine.url.replace(/\/+$/, '') });
    }
  }
  return [...distinct.values()];
}
