import { Argument, Command, CommanderError, Help, Option } from 'commander';
import { COMPLETION_SHELLS, type CompletionShell } from './completion.js';
import { displayDefault } from './setting-display.js';
import { SETTING_GROUPS } from './setting-kinds.js';
import { envOf, FLAG_KEYS, flagOf } from './setting-names.js';
import { settingOf, type SettingKey } from './settings.schema.js';

/** What the command line asks for. `argv` is what follows the command's name, not read yet. */
export type CliRequest =
  | {
      readonly command: 'serve' | 'demo' | 'engine' | 'simulate' | 'check' | 'top' | 'config' | 'hash-key';
      readonly argv: readonly string[];
    }
  | { readonly command: 'completion'; readonly shell: CompletionShell }
  | { readonly command: 'print'; readonly text: string }
  | { readonly command: 'refuse'; readonly problems: readonly string[] };

/** Finds the command; flags alone mean `serve`. Never throws, prints nothing. */
export function parseCli(argv: readonly string[], version: string): CliRequest {
  let request: CliRequest = { command: 'refuse', problems: [] };
  let printed = '';
  let complained = '';
  const program = buildProgram(version, (next) => (request = next));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => (printed += text),
      writeErr: (text) => (complained += text),
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: 'print', text: printed };
    const problems = (complained || error.message).split('\n').filter((line) => line.trim() !== '');
    return { command: 'refuse', problems: problems.map((line) => line.replace(/^error: /, '')) };
  }
  return request;
}

const EXAMPLES = `
Examples:
  Two engines that serve the same model, in turn:
    vllm-router --service-discovery static --static-backends http://a:8000,http://b:8000 --routing-logic roundrobin

  The ready pods of a namespace, each user on one engine:
    vllm-router --service-discovery k8s --k8s-namespace llm --k8s-label-selector app=vllm \\
      --routing-logic session --session-key x-user-id

  Will it work? The same flags behind: vllm-router check

  No engines at hand: vllm-router demo, or vllm-router engine --help

Settings take precedence in this order: dynamic file, flag, environment, --config file, plugin, default.
`;

function buildProgram(version: string, found: (request: CliRequest) => void): Command {
  const program = new Command('vllm-router')
    .usage('[flags]            serve\n       vllm-router <command>')
    .description('One OpenAI server in front of many vLLM engines.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ visibleOptions: programOptions, formatItem })
    .addHelpText('after', EXAMPLES);

  // Flags are read by flag-layer.ts, which collects every mistake; here they pass through in their order.
  const passing = (
    name: 'serve' | 'demo' | 'engine' | 'simulate' | 'check' | 'top' | 'config',
    help: string,
    isDefault = false,
  ): Command => {
    const command = program.command(name, { isDefault }).description(help).usage('[flags]');
    const pass = (_args: string[], _options: unknown, self: Command): void =>
      found({ command: name, argv: self.args });
    return command
      .argument('[flags...]')
      .allowUnknownOption()
      .helpOption('-h, --help', 'print this help')
      .action(pass);
  };
  passing('serve', 'route requests to engines (what flags alone do)', true).configureHelp({
    visibleOptions: programOptions,
    formatItem,
  });
  passing('demo', 'start two simulated engines and the router in front of them').configureHelp({
    visibleOptions: (command) => [
      new Option('--port <port>', 'the port of the router').default(8001),
      new Option('--speed <factor>', 'how fast the simulated engines answer').default(1),
      new Option('--once', 'stop after the first streamed answer'),
      ...Help.prototype.visibleOptions.call(new Help(), command),
    ],
  });
  // They print a help of their own: their flags are no settings of the router.
  passing('engine', 'start one simulated engine; its flags are those of vllm serve').helpOption(false);
  passing('simulate', 'compare strategies under made up or recorded traffic, in simulated time').helpOption(
    false,
  );
  passing(
    'check',
    'look at settings, discovery and every engine; say what is wrong and what to do',
  ).configureHelp({
    visibleOptions: (command) => [new Option('--json', 'as JSON'), ...programOptions(command)],
    formatItem,
  });
  passing('top', 'show a running router in the terminal: engines, load, latency, failures').helpOption(false);
  passing('config', 'print the settings in force under these flags, and where each comes from').configureHelp(
    {
      visibleOptions: (command) => [new Option('--json', 'as JSON'), ...programOptions(command)],
      formatItem,
    },
  );
  program
    .command('hash-key')
    .description('print the line of --api-key-file for the key on standard input')
    .argument('[name]', 'whose key it is', 'default')
    .action((name: string) => found({ command: 'hash-key', argv: [name] }));
  program
    .command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>').choices(COMPLETION_SHELLS))
    .action((shell: CompletionShell) => found({ command: 'completion', shell }));
  return program;
}

/** The settings, in the order of their groups, before the command's own options. */
function programOptions(command: Command): Option[] {
  const settings = SETTING_GROUPS.flatMap((group) =>
    FLAG_KEYS.filter((key) => settingOf(key).group === group),
  );
  return [...settings.map(optionOf), ...Help.prototype.visibleOptions.call(new Help(), command)];
}

function optionOf(key: SettingKey): Option {
  const setting = settingOf(key);
  const value = setting.kind === 'bool' ? '' : ` <${setting.valueName}>`;
  const option = new Option(`${flagOf(key)}${value}`, setting.help)
    .env(envOf(key))
    .helpGroup(`${setting.group}:`);
  const preset = displayDefault(key);
  return preset === '' ? option : option.default(preset, preset);
}

/** Long flags stand on a line of their own, their help below. */
function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  if (!term.startsWith('--'))
    return Help.prototype.formatItem.call(helper, term, Math.min(termWidth, 18), description, helper);
  return `  ${term}\n${helper.boxWrap(description, 92).replace(/^/gm, '      ')}`;
}
