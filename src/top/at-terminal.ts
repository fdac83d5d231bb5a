import process from 'node:process';
import { topCommand } from './top.command.js';

/** `vllm-router top` in the terminal that the process has. Resolves with the exit code. */
export async function topAtTerminal(argv: readonly string[]): Promise<number> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop).once('SIGHUP', stop);
  const { stdin, stdout, env } = process;
  // Whoever reads the output may leave early, as `head` does.
  stdout.on('error', () => process.exit(0));
  try {
    const keys = stdin.isTTY ? { keys: heardKeys } : {};
    return await topCommand(argv, { output: stdout, env, stop: stopped.signal, ...keys });
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
  }
}

function heardKeys(heard: (key: string) => void): () => void {
  const { stdin } = process;
  const press = (bytes: Buffer): void => {
    for (const key of bytes.toString('utf8')) heard(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', press).resume();
  return () => {
    stdin.off('data', press).pause();
    stdin.setRawMode(false);
  };
}
