import type { EngineState } from './engine-state.js';
import { missingField } from './request-checks.js';
import type { JsonRoute } from './route.js';
import type { JsonObject } from './simulated-text.js';
import type { EngineError } from './wire-format-other.js';

/** Adapters that can be loaded; each is a card in /v1/models. */
const MOST_ADAPTERS = 1_000;

const invalid = (message: string): EngineError => ({
  status: 400,
  message,
  type: 'InvalidUserInput',
  param: null,
});

const notFound = (message: string): EngineError => ({
  status: 404,
  message,
  type: 'NotFoundError',
  param: null,
});

/** A path that does not exist: nothing is read, so its name has to tell. */
const isNoPath = (path: string): boolean => /(^|\/)nope(\/|$)/.test(path);

function load(state: EngineState, body: JsonObject, name: string, path: string): EngineError | null {
  const known = state.models.find(({ id }) => id === name);
  if (known !== undefined && known.parent === undefined) {
    return invalid(`The lora adapter '${name}' conflicts with a served base model.`);
  }
  if (known !== undefined && body.load_inplace !== true) {
    return invalid(
      `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, ` +
        "set 'load_inplace' to True.",
    );
  }
  if (isNoPath(path)) return notFound(`Loading lora ${name} failed: No adapter found for ${path}`);
  if (!state.lora) return invalid(`LoRA is not enabled. Use --enable-lora to enable LoRA.`);
  const others = state.models.filter(({ id }) => id !== name);
  if (others.length >= MOST_ADAPTERS)
    return invalid(`Not more than ${MOST_ADAPTERS} adapters can be loaded.`);
  state.models = [...others, { id: name, parent: state.firstName, root: path }];
  return null;
}

const loadAdapter: JsonRoute = (exchange, state, body) => {
  for (const field of ['lora_name', 'lora_path']) {
    if (typeof body[field] !== 'string') return exchange.sendError(missingField(field, body));
  }
  const { lora_name: name, lora_path: path } = body as Record<string, string>;
  const wrong = load(state, body, name ?? '', path ?? '');
  if (wrong !== null) exchange.sendError(wrong);
  else exchange.send(200, [], `Success: LoRA adapter '${name}' added successfully.`);
};

const unloadAdapter: JsonRoute = (exchange, state, body) => {
  const name = body.lora_name;
  if (typeof name !== 'string') return exchange.sendError(missingField('lora_name', body));
  const isLoaded = state.models.some(({ id, parent }) => id === name && parent !== undefined);
  if (!isLoaded) return exchange.sendError(notFound(`The lora adapter '${name}' cannot be found.`));
  state.models = state.models.filter(({ id }) => id !== name);
  state.model.unloadAdapter(name);
  exchange.send(200, [], `Success: LoRA adapter '${name}' removed successfully.`);
};

/** What only `VLLM_ALLOW_RUNTIME_LORA_UPDATING=1` opens. */
export const LORA_ROUTES: Readonly<Record<string, JsonRoute>> = {
  '/v1/load_lora_adapter': loadAdapter,
  '/v1/unload_lora_adapter': unloadAdapter,
};
