import { Counter, type Registry } from 'prom-client';
import { MAX_CAUSES } from '../stats/lifetime-series.js';

/** A counter by one label whose values are words of the code; further than `MAX_CAUSES` they are `other`. */
export class CauseCounter {
  readonly #counter: Counter;
  readonly #children = new Map<string, { inc(): void }>();

  constructor(registry: Registry, name: string, label: string, help: string) {
    this.#counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
  }

  count(cause: string): void {
    const key = this.#children.has(cause) || this.#children.size < MAX_CAUSES ? cause : 'other';
    let child = this.#children.get(key);
    if (!child) this.#children.set(key, (child = this.#counter.labels(key)));
    child.inc();
  }
}
