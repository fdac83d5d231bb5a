import { setTimeout as sleep } from 'node:timers/promises';
import { SettingsError } from '../config/settings-error.js';
import { type EngineArguments, readEngineArguments } from './engine-arguments.js';
import { engineHelp } from './engine-flags.js';
import { SimulatedEngine } from './http/simulated-engine.js';

/** How long a vLLM that has drained goes on refusing before it ends: 4 to 12 s were measured. */
const AFTER_DRAIN_MS = 4_000;

/** `vllm-router engine`: one simulated engine as a process of its own. Throws a SettingsError for wrong flags. */
export async function engine(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const wanted = readEngineArguments(argv, env);
  if (wanted.help) {
    process.stdout.write(engineHelp());
    return;
  }
  const it = new SimulatedEngine(wanted.options);
  await listen(it, wanted);
  if (wanted.fault !== null) await it.setFault(wanted.fault);
  endOnSignals(it, wanted.shutdownTimeoutMs);
  void it.once('died').then(() => process.exit(1));
  if (wanted.log) void logRequests(it);
  process.stdout.write(`${JSON.stringify({ url: it.url })}\n`);
}

async function listen(it: SimulatedEngine, { options }: EngineArguments): Promise<void> {
  try {
    await it.listen();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new SettingsError([`--port ${options.port}: another process listens there already`]);
    }
    throw new SettingsError([
      `--host ${options.host} --port ${options.port}: cannot listen there (${message})`,
    ]);
  }
}

/**
 * SIGTERM as vLLM takes it. With the default timeout of 0 the port refuses at once, requests in flight hang, and the
 * process stays until their clients have left. Otherwise it drains. A second signal, or SIGINT, ends it.
 */
function endOnSignals(it: SimulatedEngine, shutdownTimeoutMs: number): void {
  let told = false;
  process.on('SIGINT', () => process.exit(0));
  process.on('SIGTERM', () => {
    if (told) process.exit(0);
    told = true;
    if (shutdownTimeoutMs === 0) it.hangSilently();
    else void drain(it, shutdownTimeoutMs);
  });
}

async function drain(it: SimulatedEngine, timeoutMs: number): Promise<void> {
  await it.drain(timeoutMs);
  // Those that time ran out for hang, and keep the process.
  if (it.inFlight > 0) return;
  await sleep(AFTER_DRAIN_MS);
  process.exit(0);
}

async function logRequests(it: SimulatedEngine): Promise<void> {
  for (;;) {
    const seen = await it.once('finished');
    if (seen === null) continue;
    const { method, path, status, finished, bodyLength } = seen;
    process.stderr.write(`${JSON.stringify({ method, path, status, finished, bodyLength })}\n`);
  }
}
