import type { Engine } from '../core/engine.js';

/** Label of requests whose model the engine does not serve: clients choose that text. */
export const UNKNOWN_MODEL = 'unknown';
/** Label that further models share once an engine has `MAX_MODELS` of its own. */
export const OTHER_MODELS = 'other';
/** Models counted apart for one engine; adapters come and go while an engine runs. */
export const MAX_MODELS = 256;

/**
 * The value kept for `model` in `kept`, made with `make` when it is new. Bounded: `MAX_MODELS` entries
 * and two more, `unknown` and `other`. A known model costs one look-up.
 */
export function ofModel<T>(kept: Map<string, T>, engine: Engine, model: string, make: () => T): T {
  const found = kept.get(model);
  if (found !== undefined) return found;
  const served = engine.models.some(({ id }) => id === model);
  const label = !served ? UNKNOWN_MODEL : kept.size < MAX_MODELS ? model : OTHER_MODELS;
  let value = kept.get(label);
  if (value === undefined) kept.set(label, (value = make()));
  return value;
}

/** The labels that figures of these engines may have now. */
export function labelsOf(engines: readonly Engine[]): ReadonlySet<string> {
  return new Set([
    UNKNOWN_MODEL,
    OTHER_MODELS,
    ...engines.flatMap(({ models }) => models.map(({ id }) => id)),
  ]);
}
