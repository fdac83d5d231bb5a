/** What a flag of `vllm-router engine` takes: nothing, a text, a whole number from `min` on, or any number. */
export type FlagKind =
  | { readonly kind: 'flag' }
  | { readonly kind: 'text'; readonly list?: boolean; readonly choices?: readonly string[] }
  | { readonly kind: 'whole' | 'number'; readonly min: number; readonly max: number };

export interface EngineFlag {
  readonly value: string;
  readonly help: string;
  readonly takes: FlagKind;
  /** The variable of the environment that vLLM reads for it. */
  readonly env?: string;
}

const FLAG: FlagKind = { kind: 'flag' };
const TEXT: FlagKind = { kind: 'text' };
const LIST: FlagKind = { kind: 'text', list: true };
const count = (min = 1): FlagKind => ({ kind: 'whole', min, max: 1_000_000_000 });
const flag = (value: string, takes: FlagKind, help: string, env?: string): EngineFlag => ({
  value,
  takes,
  help,
  ...(env === undefined ? {} : { env }),
});

/** The flags in the order of the help. Names are those of `vllm serve` where it has the flag. */
export const ENGINE_FLAGS = {
  host: flag('address', TEXT, 'where it listens; default 127.0.0.1'),
  port: flag('port', { kind: 'whole', min: 0, max: 65_535 }, 'default 8000; 0 takes a free one'),
  model: flag(
    'names',
    LIST,
    'served names, separated by commas or repeated; the first one is in answers and metrics',
  ),
  'served-model-name': flag('names', LIST, 'the same, under its other name'),
  profile: flag(
    'name',
    { kind: 'text', choices: ['h100-8b', 'l4-8b', 'cpu', 'instant'] },
    'what a step costs: h100-8b (default), l4-8b, cpu, or instant',
  ),
  speed: flag(
    'factor',
    { kind: 'number', min: 0.001, max: 1_000 },
    'how many times faster than the profile; default 1',
  ),
  ttft: flag(
    'ms',
    { kind: 'number', min: 0, max: 3_600_000 },
    'a fixed time to the first token, whatever the load',
  ),
  itl: flag(
    'ms',
    { kind: 'number', min: 0, max: 3_600_000 },
    'a fixed time between tokens, whatever the load',
  ),
  'answer-tokens': flag('n', count(), 'tokens of an answer whose request names no limit; default 16'),
  'max-num-seqs': flag('n', count(), 'sequences that run at once'),
  'max-num-batched-tokens': flag('n', count(), 'tokens that one step computes'),
  'block-size': flag('tokens', count(), 'tokens in a block of the KV cache'),
  'num-gpu-blocks': flag('n', count(2), 'blocks of the KV cache'),
  'max-model-len': flag('tokens', count(), 'longest prompt; default 131072, or what the cache holds'),
  'scheduling-policy': flag(
    'policy',
    { kind: 'text', choices: ['fcfs', 'priority'] },
    'fcfs (default) or priority',
  ),
  'max-num-queued-reqs': flag('n', count(), 'sequences in the engine from which on it answers 503'),
  'max-num-queued-tokens': flag(
    'n',
    count(),
    'prompt tokens before their first token from which on it answers 503',
  ),
  runner: flag(
    'kind',
    { kind: 'text', choices: ['auto', 'generate', 'pooling'] },
    'which APIs it has; auto (default) has both kinds',
  ),
  'enable-lora': flag('', FLAG, 'adapters can be served'),
  'lora-modules': flag('name=path', LIST, 'adapters that are there from the start'),
  'max-loras': flag('n', count(), 'adapters that run at once'),
  'allow-runtime-lora-updating': flag(
    '',
    FLAG,
    'opens the routes that load and unload adapters',
    'VLLM_ALLOW_RUNTIME_LORA_UPDATING',
  ),
  'server-dev-mode': flag('', FLAG, 'opens sleep, pause and cache routes', 'VLLM_SERVER_DEV_MODE'),
  'api-key': flag('key', TEXT, 'wanted on /v1 as a bearer token', 'VLLM_API_KEY'),
  'vllm-version': flag('version', TEXT, 'decides metrics, /version and the shape of errors; default 0.32.0'),
  'enable-prompt-tokens-details': flag('', FLAG, 'usage tells cached tokens'),
  'enable-request-id-headers': flag('', FLAG, 'answers carry x-request-id'),
  'enable-server-load-tracking': flag('', FLAG, '/load counts'),
  'enable-auto-tool-choice': flag('', FLAG, 'requests with tools are not refused'),
  'sse-keep-alive-interval': flag(
    'seconds',
    { kind: 'number', min: 0, max: 3_600 },
    'a comment after so long a silence in a stream; default 0, never',
  ),
  'timeout-keep-alive': flag(
    'seconds',
    { kind: 'number', min: 0.01, max: 3_600 },
    'idle connections are closed after it; default 5',
    'VLLM_HTTP_TIMEOUT_KEEP_ALIVE',
  ),
  'shutdown-timeout': flag(
    'seconds',
    { kind: 'number', min: 0, max: 86_400 },
    'how long SIGTERM lets requests end; default 0: they hang, as with vLLM',
  ),
  fault: flag('json', TEXT, 'what goes wrong from the start, as for POST /sim/fault'),
  log: flag('', FLAG, 'a line on stderr for each request that ends'),
} as const satisfies Readonly<Record<string, EngineFlag>>;

export type EngineFlagName = keyof typeof ENGINE_FLAGS;

/** The text of `--help`. */
export function engineHelp(): string {
  const lines = Object.entries(ENGINE_FLAGS as Readonly<Record<string, EngineFlag>>).map(([name, it]) => {
    const left = `  --${name}${it.value === '' ? '' : ` <${it.value}>`}`;
    const env = it.env === undefined ? '' : ` (or ${it.env})`;
    return `${left.padEnd(38)}  ${it.help}${env}`;
  });
  return `Usage: vllm-router engine [flags]

A vLLM engine without a GPU: the wire format, the scheduler and the pace of a real one, made up words, and faults on
demand. Flags are named as those of vllm serve where it has them.

Examples:
  vllm-router engine --port 9001 --model llama --profile h100-8b
  vllm-router engine --port 9002 --model llama --profile l4-8b --speed 10 --max-num-queued-reqs 8
  vllm-router engine --port 9003 --model llama --fault '{"errorEvent":true,"frames":3,"times":1}'

Flags:
${lines.join('\n')}
  --help                                  print this help

While it runs:
  curl -X POST localhost:9001/sim/fault -d '{"hang":"after-frames","frames":2}'    GET tells it, DELETE lifts it
  curl localhost:9001/sim/stats
  header x-sim-fault: {"status":503}      a fault for that request alone

SIGTERM does what it does to vLLM; a second one, or Ctrl-C, ends it at once.
`;
}
