import process from 'node:process';
import { checkCommand } from './check.command.js';

/** Back to the begin of the line, which is emptied. */
const ANEW = '\r\x1b[K';

/** `vllm-router check` in the terminal that the process has. Resolves with the exit code. */
export function checkAtTerminal(argv: readonly string[]): Promise<number> {
  const { env, stdout, stderr } = process;
  const colours = stdout.isTTY && (env['NO_COLOR'] ?? '') === '';
  const progress = (text: string): void => {
    if (stderr.isTTY) stderr.write(ANEW + text);
  };
  return checkCommand(argv, { env, output: stdout, colours, progress });
}
