import { parseArgs } from 'node:util';
import { SettingsError } from '../config/settings-error.js';
import { choosePort } from './demo-port.js';
import { chatCommand, prefixHits, streamChat, waitUntilServed } from './demo-chat.js';
import { startSimulatedEngine } from '../simulator/http/simulated-engine.js';

const DEFAULT_PORT = '8001';
const MODEL = 'demo-small';
const ADAPTER = 'demo-small-sql';

/** A large GPU with a model of 8 billion parameters, at a pace that an eye can follow: about 20 ms a token. */
const PROFILE = 'h100-8b';
const PACE = 0.33;

const ANSWER =
  'Hello! These words come from a simulated vLLM engine: no GPU and no model, but the same wire format ' +
  'and the pace of a real one. The router picked this engine for you, passed your request on byte for ' +
  'byte, and sends each word to you in the moment it is there.';

/** What the demo needs of its surroundings. */
export interface DemoSurroundings {
  startRouter(argv: string[], env: NodeJS.ProcessEnv): Promise<{ url: string; close(): Promise<void> }>;
  readonly print: (text: string) => void;
  /** Resolves when the demo is to stop. */
  stopped(): Promise<void>;
}

/** `vllm-router demo`: two simulated engines with the router in front, in this process. */
export async function demo(argv: string[]): Promise<void> {
  await runDemo(argv, {
    startRouter: async (settings, env) => (await import('../serve.js')).startRouter(settings, env),
    print: (text) => void process.stdout.write(text),
    stopped: async () =>
      new Promise((resolve) => {
        process.once('SIGINT', () => resolve());
        process.once('SIGTERM', () => resolve());
      }),
  });
}

/** The demo itself. Throws a SettingsError for flags that cannot work. */
export async function runDemo(argv: readonly string[], around: DemoSurroundings): Promise<void> {
  const { port: wanted, speed, once } = readFlags(argv);
  // Heard from the start, so that Ctrl-C during the start closes everything as well.
  const stopped = around.stopped();
  const port = await choosePort(wanted);
  if (port !== wanted) around.print(`Port ${wanted} is in use, so the router takes ${port}.\n\n`);

  const kind = {
    profile: PROFILE,
    speed: PACE * speed,
    answer: ANSWER,
    lora: true,
    autoToolChoice: true,
    promptTokensDetails: true,
  } as const;
  const engines = await Promise.all([
    startSimulatedEngine({ ...kind, models: [MODEL] }),
    startSimulatedEngine({ ...kind, models: [MODEL, { id: ADAPTER, parent: MODEL }] }),
  ]);
  try {
    const backends = engines.map(({ url }) => url).join(',');
    const router = await around.startRouter(routerFlags(port, backends), withoutSettings(process.env));
    try {
      around.print(
        'Two simulated engines:\n' +
          engines.map((e) => `  ${e.url}  ${e.models.map(({ id }) => id).join(', ')}\n`).join('') +
          `The router in front of them:\n  ${router.url}\n\n` +
          `Try it from another terminal:\n  ${chatCommand(router.url, MODEL)}\n\n` +
          'The same request, sent through the router now:\n  ',
      );
      await waitUntilServed(router.url, MODEL);
      const { tokens, firstAfterMs } = await streamChat(router.url, MODEL, around.print);
      around.print(`\n  (${tokens} tokens, the first after ${Math.round(firstAfterMs)} ms)\n\n`);
      // Both engines meet the prompt twice: the second time, its beginning is in the prefix cache.
      for (let count = 0; count < 3; count += 1) await streamChat(router.url, MODEL, () => {});
      around.print('Prompt tokens that the engines found in their prefix caches:\n');
      for (const { url } of engines) around.print(`  ${url}/metrics  ${await prefixHits(url)}\n`);
      around.print('\n');
      if (once) return;
      around.print(
        `Live page: ${router.url}/dashboard\nMetrics: ${router.url}/metrics   Health: ${router.url}/health\n` +
          'Ctrl-C to stop.\n',
      );
      await stopped;
    } finally {
      await router.close();
    }
  } finally {
    await Promise.all(engines.map(async (engine) => engine.close(0)));
  }
}

function readFlags(argv: readonly string[]): { port: number; speed: number; once: boolean } {
  const problems: string[] = [];
  let values: { port?: string | undefined; speed?: string | undefined; once?: boolean | undefined } = {};
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { port: { type: 'string' }, speed: { type: 'string' }, once: { type: 'boolean' } },
    }));
  } catch (error) {
    problems.push(`demo: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { port = DEFAULT_PORT, speed = '1', once = false } = values;
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    problems.push(`--port ${port}: a port is a number from 1 to 65535`);
  }
  if (!(Number(speed) >= 0.01 && Number(speed) <= 1_000)) {
    problems.push(`--speed ${speed}: a factor from 0.01 to 1000`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return { port: Number(port), speed: Number(speed), once };
}

const routerFlags = (port: number, backends: string): string[] => [
  ...Object.entries({
    '--host': '127.0.0.1',
    '--port': String(port),
    '--service-discovery': 'static',
    '--static-backends': backends,
    '--routing-logic': 'roundrobin',
    '--log-level': 'warn',
    '--shutdown-delay': '0',
  }).flat(),
  '--dashboard',
  '--allow-explain',
];

/** The demo shows the same everywhere: settings for another router in the environment are not its own. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^VLLM_(ROUTER_.*|API_KEY)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
