import { parseArgs } from 'node:util';
import { SettingsError } from '../config/settings-error.js';
import { ENGINE_FLAGS, type EngineFlag, type EngineFlagName } from './engine-flags.js';
import { type Fault, parseFault } from './http/fault.js';
import type { SimulatedEngineOptions } from './http/engine-options.js';
import type { SimulatedModel } from './http/wire-format.js';
import { type EngineProfile, type ProfileName, PROFILES } from './model/engine-profile.js';

/** What the flags of `vllm-router engine` ask for. */
export interface EngineArguments {
  readonly help: boolean;
  readonly options: SimulatedEngineOptions;
  readonly fault: Fault | null;
  readonly shutdownTimeoutMs: number;
  readonly log: boolean;
}

type Given = Map<string, string[]>;

/** As vLLM without `--max-model-len`, for models of this kind. */
const LONGEST = 131_072;

/**
 * Reads flags, and the variables that vLLM reads.
 * @throws {SettingsError} with every problem, a line each
 */
export function readEngineArguments(argv: readonly string[], env: NodeJS.ProcessEnv): EngineArguments {
  const problems: string[] = [];
  const given = readFlags(argv, env, problems);
  const text = (name: EngineFlagName): string | undefined => given.get(name)?.at(-1);
  const number = (name: EngineFlagName): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  const has = (name: EngineFlagName): boolean => given.has(name);

  const profile = profileOf(text, number);
  const capacity = (profile.blocks - 1) * profile.blockSize;
  const longest = number('max-model-len') ?? Math.min(LONGEST, capacity);
  if (longest > capacity) {
    problems.push(
      `--max-model-len ${longest}: the KV cache holds ${capacity} tokens; give less or more blocks`,
    );
  }
  const fault = faultOf(text('fault'), problems);
  const models = modelsOf(given, longest, problems);
  if (problems.length > 0) throw new SettingsError(problems);
  const seconds = (name: EngineFlagName, preset: number): number => (number(name) ?? preset) * 1_000;
  const known = (key: keyof SimulatedEngineOptions, value: string | number | undefined): object =>
    value === undefined ? {} : { [key]: value };
  return {
    help: given.has('help'),
    fault,
    log: has('log'),
    shutdownTimeoutMs: seconds('shutdown-timeout', 0),
    options: {
      host: text('host') ?? '127.0.0.1',
      port: number('port') ?? 8_000,
      models,
      profile,
      speed: number('speed') ?? 1,
      priorityScheduling: text('scheduling-policy') === 'priority',
      runner: (text('runner') ?? 'auto') as 'auto' | 'generate' | 'pooling',
      lora: has('enable-lora') || has('lora-modules'),
      loraUpdating: has('allow-runtime-lora-updating'),
      devMode: has('server-dev-mode'),
      promptTokensDetails: has('enable-prompt-tokens-details'),
      requestIdHeaders: has('enable-request-id-headers'),
      serverLoadTracking: has('enable-server-load-tracking'),
      autoToolChoice: has('enable-auto-tool-choice'),
      sseKeepAliveMs: seconds('sse-keep-alive-interval', 0),
      keepAliveMs: seconds('timeout-keep-alive', 5),
      ...known('timeToFirstToken', number('ttft')),
      ...known('tokenInterval', number('itl')),
      ...known('tokens', number('answer-tokens')),
      ...known('maxQueuedRequests', number('max-num-queued-reqs')),
      ...known('maxQueuedTokens', number('max-num-queued-tokens')),
      ...known('vllmVersion', text('vllm-version')),
      ...known('apiKey', text('api-key')),
    },
  };
}

function readFlags(argv: readonly string[], env: NodeJS.ProcessEnv, problems: string[]): Given {
  const given: Given = new Map();
  const flags: Readonly<Record<string, EngineFlag>> = ENGINE_FLAGS;
  for (const [name, { env: variable, takes }] of Object.entries(flags)) {
    const value = variable === undefined ? undefined : env[variable];
    if (value === undefined || value === '' || (takes.kind === 'flag' && value === '0')) continue;
    given.set(name, [takes.kind === 'flag' ? '' : value]);
  }
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { takes }]) => [
      name,
      { type: takes.kind === 'flag' ? ('boolean' as const) : ('string' as const), multiple: true as const },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean', multiple: true, short: 'h' } },
    strict: false,
    tokens: true,
  });
  const fromFlags = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${token.value}: flags alone are taken`);
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    if (name === 'help') {
      given.set(name, []);
      continue;
    }
    const it = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (it === undefined) problems.push(`${token.rawName}: there is no such flag`);
    else if (it.takes.kind !== 'flag' && value === undefined) problems.push(`--${name}: needs a value`);
    else {
      given.set(name, [...(fromFlags.has(name) ? (given.get(name) ?? []) : []), value ?? '']);
      fromFlags.add(name);
    }
  }
  for (const [name, values] of given) check(name, flags[name], values, problems);
  return given;
}

function check(
  name: string,
  it: EngineFlag | undefined,
  values: readonly string[],
  problems: string[],
): void {
  if (it === undefined) return;
  const { takes } = it;
  for (const value of values) {
    if (takes.kind === 'text' && takes.choices !== undefined && !takes.choices.includes(value)) {
      problems.push(`--${name} ${value}: one of ${takes.choices.join(', ')}`);
    }
    if (takes.kind !== 'whole' && takes.kind !== 'number') continue;
    const number = value.trim() === '' ? NaN : Number(value);
    const fits = number >= takes.min && number <= takes.max;
    if (!fits || (takes.kind === 'whole' && !Number.isInteger(number))) {
      const kind = takes.kind === 'whole' ? 'a whole number' : 'a number';
      problems.push(`--${name} ${value}: ${kind} from ${takes.min} to ${takes.max}`);
    }
  }
}

function profileOf(
  text: (name: EngineFlagName) => string | undefined,
  number: (name: EngineFlagName) => number | undefined,
): EngineProfile {
  const name = (text('profile') ?? 'h100-8b') as ProfileName;
  const base = Object.hasOwn(PROFILES, name) ? PROFILES[name] : PROFILES['h100-8b'];
  return {
    ...base,
    blockSize: number('block-size') ?? base.blockSize,
    blocks: number('num-gpu-blocks') ?? base.blocks,
    maxSequences: number('max-num-seqs') ?? base.maxSequences,
    maxBatchedTokens: number('max-num-batched-tokens') ?? base.maxBatchedTokens,
    maxLoras: number('max-loras') ?? base.maxLoras,
  };
}

function modelsOf(given: Given, maxModelLen: number, problems: string[]): SimulatedModel[] {
  const lists = [...(given.get('model') ?? []), ...(given.get('served-model-name') ?? [])];
  const names = lists.flatMap((list) => list.split(',')).map((name) => name.trim());
  const bases = names.filter((name) => name !== '');
  if (bases.length === 0) bases.push('simulated');
  const models: SimulatedModel[] = bases.map((id) => ({ id, maxModelLen }));
  for (const module of (given.get('lora-modules') ?? []).flatMap((list) => list.split(/[\s,]+/))) {
    const [, id, root] = /^([^=]+)=(.+)$/.exec(module) ?? [];
    if (id === undefined || root === undefined) problems.push(`--lora-modules ${module}: name=path`);
    else models.push({ id, root, parent: bases[0] ?? 'simulated' });
  }
  const twice = models.find(({ id }, index) => models.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) problems.push(`--model ${twice.id}: a name can be served once`);
  return models;
}

function faultOf(json: string | undefined, problems: string[]): Fault | null {
  if (json === undefined) return null;
  try {
    return parseFault(JSON.parse(json));
  } catch (error) {
    problems.push(`--fault: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
