import { Injectable, Optional } from '@nestjs/common';
import type { ServedModel } from '../core/engine.js';
import { EngineAccess } from '../security/engine-access.js';
import { engineGet, type EngineGetOptions } from '../upstream/engine-get.js';

/** Served names taken from one engine; the rest of a longer list is not heard. */
export const MAX_MODELS = 4_096;
/** Characters of a served name; a longer one is not heard. */
export const MAX_MODEL_ID = 512;
/** Characters of one card as JSON; the engine's own fields of a larger one are not passed on. */
export const MAX_CARD = 16 * 1024;
const MAX_ANSWER = 4 * 1024 * 1024;

/** Asks engines which models they serve. */
@Injectable()
export class ModelProber {
  constructor(@Optional() private readonly access?: EngineAccess) {}

  /**
   * One `GET /v1/models`.
   * @throws {Error} when there is no list of at least one model within the limits
   */
  async probe(url: string, options: EngineGetOptions): Promise<readonly ServedModel[]> {
    const known = { apiKey: this.access?.keyOf(url), tls: this.access?.tls };
    const answer = await engineGet(url, '/v1/models', { maxBytes: MAX_ANSWER, ...known, ...options });
    if (answer.status !== 200) throw new Error(`GET /v1/models answered ${answer.status}`);
    return readModels(answer.text);
  }
}

/**
 * The served names in a `GET /v1/models` body. An entry that is no model (no name, a name that is no
 * string, empty or too long, one that was there before) is passed over.
 * @throws {Error} when the body is no list or no entry is a model
 */
export function readModels(text: string): readonly ServedModel[] {
  const list = dataOf(text);
  if (!list) throw new Error('GET /v1/models answered no model list');
  const models = new Map<string, ServedModel>();
  for (const entry of list) {
    const model = modelOf(entry);
    if (model && !models.has(model.id)) models.set(model.id, model);
    if (models.size === MAX_MODELS) break;
  }
  if (models.size === 0) throw new Error('GET /v1/models names no model');
  return Object.freeze([...models.values()]);
}

/**
 * Whether two entries tell the same. `created` and `permission` do not count: vLLM makes both anew for
 * each answer (the time of the call, a random id).
 */
export function sameModel(a: ServedModel, b: ServedModel): boolean {
  return a.id === b.id && a.parent === b.parent && lasting(a.card) === lasting(b.card);
}

function lasting(card: ServedModel['card']): string | undefined {
  return card && JSON.stringify({ ...card, created: undefined, permission: undefined });
}

function dataOf(text: string): readonly unknown[] | null {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) && Array.isArray(body['data']) ? body['data'] : null;
  } catch {
    return null;
  }
}

function modelOf(entry: unknown): ServedModel | null {
  if (!isRecord(entry) || !isModelId(entry['id'])) return null;
  const id = entry['id'];
  const parent = isModelId(entry['parent']) ? entry['parent'] : null;
  return Object.freeze(fits(entry) ? { id, parent, card: Object.freeze(entry) } : { id, parent });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isModelId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_MODEL_ID;
}

// Deep nesting makes stringify run out of stack, here and not when a client asks for the list.
function fits(card: object): boolean {
  try {
    return JSON.stringify(card).length <= MAX_CARD;
  } catch {
    return false;
  }
}
