import { execFile, type ExecFileOptions } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** A script of the control plane; global-setup.cjs has made sure that it is there. */
export function kubeScript(name: string): string {
  return join(process.env['KUBE_TOOLS_DIR'] ?? '', name);
}

/** Runs a program; its output. @throws {Error} with its stderr when it fails */
export async function run(
  file: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(file, args, { timeout: 120_000, ...options, encoding: 'utf8' });
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`${file} ${args.join(' ')}: ${stderr.trim().slice(-2000) || message}`, { cause: error });
  }
}
