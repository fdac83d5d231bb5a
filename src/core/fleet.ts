import type { Engine, ServedModel } from './engine.js';

/** One entry of `GET /v1/models`, in vLLM's shape; an engine's own fields (`max_model_len`) come along. */
export type ModelCard = Readonly<Record<string, unknown>> & { readonly id: string };

const NOBODY: readonly Engine[] = Object.freeze([]);

/** Engines by URL, then by id: the order that every router process agrees on. */
export function byUrl(a: Engine, b: Engine): number {
  if (a.url !== b.url) return a.url < b.url ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}

/**
 * The engines known at one moment. Immutable: a change is a new fleet with the next version, and a
 * request that holds this one keeps seeing the same engines. All look-ups are O(1).
 */
export class Fleet {
  /** No engine known; version 0. */
  static readonly empty = Fleet.of([], 0);

  /** Grows by one with each change; 0 is the empty fleet before discovery. */
  readonly version: number;
  /** Sorted by URL. */
  readonly engines: readonly Engine[];
  /** Every served name, adapters too, sorted. */
  readonly modelIds: readonly string[];

  readonly #byId = new Map<string, Engine>();
  readonly #byModel = new Map<string, Engine[]>();
  /** The served name as the first engine that has a card for it tells it, else as the first engine does. */
  readonly #told = new Map<string, ServedModel>();
  readonly #firstSeen: ReadonlyMap<string, number>;

  private constructor(engines: readonly Engine[], version: number, seen: (model: string) => number) {
    this.version = version;
    this.engines = Object.freeze([...engines].sort(byUrl));
    for (const engine of this.engines) {
      this.#byId.set(engine.id, engine);
      for (const served of engine.models) {
        const serving = this.#byModel.get(served.id);
        if (!serving) this.#byModel.set(served.id, [engine]);
        else if (serving.at(-1) !== engine) serving.push(engine);
        const told = this.#told.get(served.id);
        if (!told || (!told.card && served.card)) this.#told.set(served.id, served);
      }
    }
    for (const serving of this.#byModel.values()) Object.freeze(serving);
    this.modelIds = Object.freeze([...this.#byModel.keys()].sort());
    this.#firstSeen = new Map(this.modelIds.map((model) => [model, seen(model)]));
    Object.freeze(this);
  }

  /** @param createdAt when its models, or each of them, were first seen, seconds since the epoch */
  static of(
    engines: readonly Engine[],
    version: number,
    createdAt: number | ((model: string) => number) = 0,
  ): Fleet {
    return new Fleet(engines, version, typeof createdAt === 'number' ? () => createdAt : createdAt);
  }

  /**
   * The fleet that follows this one. Models that both serve keep the time at which they were first seen.
   * @param now seconds since the epoch
   */
  next(engines: readonly Engine[], now: number): Fleet {
    return new Fleet(engines, this.version + 1, (model) => this.#firstSeen.get(model) ?? now);
  }

  /** When each served name was first seen, seconds since the epoch. */
  get firstSeen(): ReadonlyMap<string, number> {
    return this.#firstSeen;
  }

  byId(id: string): Engine | undefined {
    return this.#byId.get(id);
  }

  /** The engines that serve `model`, sorted by URL; the same array for each call on this fleet. */
  serving(model: string): readonly Engine[] {
    return this.#byModel.get(model) ?? NOBODY;
  }

  /**
   * The entries of `GET /v1/models`, one for each served name, sorted by it. Where engines tell
   * different things of one name, the first by URL is heard.
   */
  modelCards(): readonly ModelCard[] {
    return this.modelIds.flatMap((model) => this.modelCard(model) ?? []);
  }

  /** The entry of one served name; undefined when no engine serves it. */
  modelCard(model: string): ModelCard | undefined {
    const told = this.#told.get(model);
    if (!told) return undefined;
    if (told.card) return { ...told.card, id: model };
    const created = this.#firstSeen.get(model) ?? 0;
    return { id: model, object: 'model', created, owned_by: 'vllm', root: null, parent: told.parent };
  }
}
