#!/usr/bin/env node
import { SettingsError } from './config/settings-error.js';
import { setLoadFlags, setStartFlags } from './v8-flags.js';

/** Runs one command; what a command needs is loaded by that command alone. */
async function main(): Promise<void> {
  setStartFlags();
  const { parseCli } = await import('./config/cli.js');
  const { routerVersion } = await import('./config/version.js');
  const request = parseCli(process.argv.slice(2), routerVersion());
  switch (request.command) {
    case 'serve':
      await (await import('./serve.js')).serve([...request.argv], process.env);
      setLoadFlags();
      return;
    case 'demo':
      setLoadFlags();
      return (await import('./demo/demo.command.js')).demo([...request.argv]);
    case 'engine':
      return (await import('./simulator/engine.command.js')).engine(request.argv, process.env);
    case 'simulate':
      setLoadFlags();
      return (await import('./what-if/simulate/simulate.command.js')).simulateCommand(request.argv);
    case 'check':
      process.exitCode = await (await import('./check/at-terminal.js')).checkAtTerminal(request.argv);
      return;
    case 'top':
      process.exitCode = await (await import('./top/at-terminal.js')).topAtTerminal(request.argv);
      return;
    case 'config': {
      const { configCommand } = await import('./config/config.command.js');
      const { readTextFileSync } = await import('./config/read-text-file.js');
      const { loadPlugins, settingsSources } = await import('./plugins.js');
      const sources = { argv: request.argv, env: process.env, readFile: readTextFileSync };
      const { text, warnings } = await configCommand(sources, async (plugins) =>
        settingsSources(await loadPlugins(plugins)),
      );
      process.stdout.write(text);
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
      return;
    }
    case 'hash-key': {
      const { hashKeyLine } = await import('./security/hash-key.command.js');
      process.stdout.write(await hashKeyLine(request.argv, process.stdin));
      return;
    }
    case 'completion':
      process.stdout.write((await import('./config/completion.js')).completionScript(request.shell));
      return;
    case 'print':
      process.stdout.write(request.text);
      return;
    case 'refuse':
      throw new SettingsError(request.problems);
  }
}

main().catch((error: unknown) => {
  const lines =
    error instanceof SettingsError
      ? error.problems
      : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(error instanceof SettingsError ? 2 : 1);
});
