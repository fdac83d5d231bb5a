import { RoutingStrategy, type StrategyClass } from './routing-strategy.js';

/** The strategies that can be chosen, by the values of `--routing-logic` that choose them. */
export class StrategyRegistry {
  readonly #classes = new Map<string, StrategyClass>();

  /** @throws {Error} when a class is no strategy or a name is taken */
  constructor(classes: readonly StrategyClass[]) {
    for (const strategy of classes) this.#add(strategy);
  }

  /** Every valid value of `--routing-logic`, in the order of registration. */
  get names(): readonly string[] {
    return [...this.#classes.keys()];
  }

  /** @throws {Error} when no strategy has this name */
  get(name: string): StrategyClass {
    const strategy = this.#classes.get(name);
    if (!strategy) throw new Error(`unknown routing strategy "${name}"; known: ${this.names.join(', ')}`);
    return strategy;
  }

  #add(strategy: StrategyClass): void {
    const name: unknown = strategy?.strategyName;
    if (typeof name !== 'string' || name === '') {
      throw new Error(
        'a routing strategy needs a static strategyName, the value of --routing-logic that selects it',
      );
    }
    if (typeof strategy !== 'function' || !(strategy.prototype instanceof RoutingStrategy)) {
      throw new Error(`routing strategy "${name}" must be a class that extends RoutingStrategy`);
    }
    for (const taken of [name, ...(strategy.aliases ?? [])]) {
      if (this.#classes.has(taken)) {
        throw new Error(
          `routing strategy "${taken}" is registered twice; give one of them another strategyName`,
        );
      }
      this.#classes.set(taken, strategy);
    }
  }
}
