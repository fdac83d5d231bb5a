import type { EngineState } from './engine-state.js';
import { isObject, type JsonObject } from './simulated-text.js';
import type { SimulatedModel } from './wire-format.js';
import { badRequest, DEFAULT_MAX_MODEL_LEN, type EngineError, schemaError } from './wire-format-other.js';

/** Python's name for a value in its own error texts. */
function pythonInput(value: unknown): string {
  if (Array.isArray(value)) return `<list of ${value.length} items>`;
  return isObject(value) ? `<dict of ${Object.keys(value).length} items>` : String(value);
}

const fault = (type: string, loc: string, msg: string, input: unknown): EngineError =>
  schemaError(`{'type': '${type}', 'loc': '${loc}', 'msg': '${msg}', 'input': '${pythonInput(input)}'}`, loc);

/** A field that the schema wants. */
export const missingField = (name: string, body: JsonObject): EngineError =>
  fault('missing', `body.${name}`, 'Field required', body);

/** Reads a JSON body as vLLM does: every refusal is a 400. */
export function parseJsonBody(
  contentType: string | undefined,
  bytes: Buffer,
): { readonly body: JsonObject } | { readonly error: EngineError } {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')) {
    return { error: schemaError("Unsupported Media Type: Only 'application/json' is allowed", null) };
  }
  if (bytes.length === 0) return { error: fault('missing', 'body', 'Field required', 'None') };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    const at = `body.${/position (\d+)/.exec(String(error))?.[1] ?? bytes.length}`;
    const detail =
      `{'type': 'json_invalid', 'loc': '${at}', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', ` +
      `'ctx': {'error': 'Expecting property name enclosed in double quotes'}}`;
    return { error: schemaError(detail, at) };
  }
  if (isObject(value)) return { body: value };
  const message = 'Input should be a valid dictionary or object to extract fields from';
  return { error: fault('model_attributes_type', 'body', message, value) };
}

/** The served model that a request names; none or an empty name means the first one. */
export function modelFor(state: EngineState, name: unknown): SimulatedModel | EngineError {
  if (name !== undefined && name !== null && typeof name !== 'string') {
    return fault('string_type', 'body.model', 'Input should be a valid string', name);
  }
  const model = name ? state.models.find(({ id }) => id === name) : { id: state.firstName };
  if (model !== undefined) return model;
  const names = state.models.filter(({ parent }) => parent === undefined).map(({ id }) => id);
  return {
    status: 404,
    message: `The model \`${String(name)}\` does not exist. Valid aliases: ${names.join(', ')}.`,
    type: 'NotFoundError',
    param: 'model',
  };
}

const CONTINUES_AND_BEGINS =
  'continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you want the ' +
  'model to continue the final message, and add_generation_prompt when you want to add a header that will prompt it to ' +
  'start a new assistant message instead.';

/** The schema of `messages`, as far as the recorded errors show it. */
export function checkMessages(body: JsonObject): EngineError | null {
  if (body.messages === undefined) return fault('missing', 'body.messages', 'Field required', body);
  if (!Array.isArray(body.messages)) {
    return fault('list_type', 'body.messages', 'Input should be a valid list', body.messages);
  }
  if (body.messages.length === 0) {
    return badRequest('Cannot apply chat template to an empty conversation. Provide at least one message.');
  }
  const both = body.continue_final_message === true && body.add_generation_prompt !== false;
  return both ? badRequest(CONTINUES_AND_BEGINS) : null;
}

/** Python writes a float with a point. */
const pythonFloat = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

/** What vLLM refuses in how an answer is to be sampled. */
export function checkSampling(state: EngineState, body: JsonObject): EngineError | null {
  const { n, temperature, tools } = body;
  if (typeof temperature === 'number' && temperature < 0) {
    const given = pythonFloat(temperature);
    const detail = `(parameter=temperature, value=${given})`;
    return badRequest(`temperature must be non-negative, got ${given}. ${detail}`, 'temperature');
  }
  if (typeof n === 'number' && n < 1) return badRequest(`n must be at least 1, got ${n}.`);
  if (typeof n === 'number' && n > 1 && temperature === 0) {
    return badRequest(`n must be 1 when using greedy sampling, got ${n}.`);
  }
  const choosesTools = Array.isArray(tools) && tools.length > 0 && (body.tool_choice ?? 'auto') === 'auto';
  if (choosesTools && !state.autoToolChoice) {
    return badRequest(
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    );
  }
  const messages = Array.isArray(body.messages) ? body.messages : [];
  return messages.some(hasImage) ? badRequest(`${state.firstName} is not a multimodal model`) : null;
}

const hasImage = (message: unknown): boolean =>
  isObject(message) &&
  Array.isArray(message.content) &&
  message.content.some((part: unknown) => isObject(part) && part.type === 'image_url');

/** `max_tokens`, whatever the API calls it; undefined when the request names none. */
export function maxTokensOf(body: JsonObject): unknown {
  return body.max_completion_tokens ?? body.max_tokens ?? body.max_output_tokens ?? undefined;
}

/** The limits of a generation request, in vLLM's order. */
export function checkLimits(
  state: EngineState,
  body: JsonObject,
  model: SimulatedModel,
  promptTokens: number,
): EngineError | null {
  if (isObject(body.stream_options) && body.stream !== true) {
    const message = 'Stream options can only be defined when `stream=True`. (parameter=stream_options)';
    return badRequest(message, 'stream_options');
  }
  const wanted = maxTokensOf(body);
  if (wanted !== undefined && !Number.isInteger(wanted)) {
    const message = 'Input should be a valid integer, unable to parse string as an integer';
    return fault('int_parsing', 'body.max_tokens', message, wanted);
  }
  const tokens = wanted as number | undefined;
  if (tokens !== undefined && tokens < 1) {
    const message = `max_tokens must be at least 1, got ${tokens}. (parameter=max_tokens, value=${tokens})`;
    return badRequest(message, 'max_tokens');
  }
  const base = state.models.find(({ id }) => id === (model.parent ?? model.id));
  const given = base?.maxModelLen;
  const limit = given ?? DEFAULT_MAX_MODEL_LEN;
  if (tokens !== undefined && tokens > limit) {
    return badRequest(
      `max_tokens=${tokens} cannot be greater than max_model_len=${limit}. Please request fewer output tokens. ` +
        `(parameter=max_tokens, value=${tokens})`,
      'max_tokens',
    );
  }
  if (given === undefined || promptTokens <= given) return null;
  return badRequest(
    `This model's maximum context length is ${given} tokens. However, your prompt contains at least ${given + 1} ` +
      'input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the ' +
      `input prompt. (parameter=input_tokens, value=${given + 1})`,
    'input_tokens',
  );
}
