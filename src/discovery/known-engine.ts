import { isDeepStrictEqual } from 'node:util';
import type { Engine, EngineSpec, ServedModel } from '../core/engine.js';
import { sameModel } from './model-prober.js';

/**
 * What is known of one engine: what its provider says, and the models it named when it was asked last.
 * `engine` is replaced only when something that the fleet shows has changed.
 */
export class KnownEngine {
  #spec: EngineSpec;
  #learned: readonly ServedModel[] | null = null;
  #engine: Engine | null = null;

  constructor(spec: EngineSpec) {
    this.#spec = spec;
    this.#update();
  }

  get id(): string {
    return this.#spec.id;
  }

  get url(): string {
    return this.#spec.url;
  }

  /** The engine as the fleet shows it; null as long as none of its models is known. */
  get engine(): Engine | null {
    return this.#engine;
  }

  /** The provider says something new of the same engine. */
  respecify(spec: EngineSpec): void {
    this.#spec = spec;
    this.#update();
  }

  /** The engine has named its models. */
  learn(models: readonly ServedModel[]): void {
    this.#learned = models;
    this.#update();
  }

  #update(): void {
    const models = this.#spec.models ? this.#given(this.#spec.models) : this.#learned;
    if (!models) return void (this.#engine = null);
    const labels = this.#spec.labels ?? {};
    const known = this.#engine;
    if (known && sameModels(known.models, models) && isDeepStrictEqual(known.labels, labels)) return;
    // A model that still says the same keeps the card of its first answer, and with it `created`.
    const before = new Map(known?.models.map((model) => [model.id, model]));
    const kept = models.map((model) => {
      const old = before.get(model.id);
      return old && sameModel(old, model) ? old : model;
    });
    this.#engine = Object.freeze({
      id: this.#spec.id,
      url: this.#spec.url,
      models: Object.freeze(kept),
      labels: Object.freeze({ ...labels }),
    });
  }

  /**
   * Settings that name the models are a promise to clients: other names of the engine stay hidden,
   * except the adapters of those models.
   */
  #given(names: readonly string[]): readonly ServedModel[] {
    const given = new Set(names);
    const learned = new Map(this.#learned?.map((model) => [model.id, model]));
    const models = [...given].map((id): ServedModel => learned.get(id) ?? { id, parent: null });
    for (const model of learned.values()) {
      if (!given.has(model.id) && model.parent !== null && given.has(model.parent)) models.push(model);
    }
    return models;
  }
}

function sameModels(a: readonly ServedModel[], b: readonly ServedModel[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((model, index) => {
    const other = b[index];
    return other !== undefined && sameModel(model, other);
  });
}
