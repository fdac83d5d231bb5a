import { FLAG_KEYS, flagOf } from './setting-names.js';
import { settingOf, type SettingKey } from './settings.schema.js';

export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

const COMMANDS = ['serve', 'demo', 'engine', 'simulate', 'check', 'top', 'config', 'hash-key', 'completion'];
const takesFile = (key: SettingKey): boolean => settingOf(key).valueName === 'file';

/** The script that makes the shell complete commands, flags, their fixed values and file names. */
export function completionScript(shell: CompletionShell): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]();
}

function bashScript(): string {
  const cases = FLAG_KEYS.flatMap((key) => {
    const { choices, kind } = settingOf(key);
    if (takesFile(key)) return [`    ${flagOf(key)}) COMPREPLY=($(compgen -f -- "$word")); return ;;`];
    if (choices && kind !== 'bool') {
      return [`    ${flagOf(key)}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return ;;`];
    }
    return kind === 'bool' ? [] : [`    ${flagOf(key)}) COMPREPLY=(); return ;;`];
  });
  const words = [...FLAG_KEYS.map(flagOf), '--help', '--version'].join(' ');
  return `# vllm-router completion for bash: source <(vllm-router completion bash)
_vllm_router() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$previous" in
${cases.join('\n')}
    completion) COMPREPLY=($(compgen -W "${COMPLETION_SHELLS.join(' ')}" -- "$word")); return ;;
  esac
  local words="${words}"
  [ "$COMP_CWORD" -eq 1 ] && words="${COMMANDS.join(' ')} $words"
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _vllm_router vllm-router
`;
}

function zshScript(): string {
  // In an _arguments specification ":" and "]" end a message, and "'" the shell word.
  const clean = (text: string): string => text.replace(/[[\]:\\]/g, ' ').replaceAll("'", "'\\''");
  const lines = FLAG_KEYS.map((key) => {
    const { help, kind, choices, valueName } = settingOf(key);
    const flag = `'${flagOf(key)}${kind === 'bool' ? '' : '='}[${clean(help)}]`;
    if (kind === 'bool') return `    ${flag}'`;
    const values = takesFile(key) ? '_files' : choices ? `(${choices.join(' ')})` : ' ';
    return `    ${flag}:${clean(valueName)}:${values}'`;
  });
  return `#compdef vllm-router
# vllm-router completion for zsh: source <(vllm-router completion zsh)
_vllm_router() {
  _arguments \\
${lines.map((line) => `${line} \\`).join('\n')}
    '--help[print help]' \\
    '--version[print the version]' \\
    '1:command:(${COMMANDS.join(' ')})' \\
    '2:shell:(${COMPLETION_SHELLS.join(' ')})'
}
compdef _vllm_router vllm-router
`;
}

function fishScript(): string {
  const quoted = (text: string): string => `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
  const lines = FLAG_KEYS.map((key) => {
    const { help, kind, choices } = settingOf(key);
    const values =
      kind === 'bool'
        ? ''
        : takesFile(key)
          ? ' -r -F'
          : choices
            ? ` -x -a ${quoted(choices.join(' '))}`
            : ' -x';
    return `complete -c vllm-router -l ${flagOf(key).slice(2)}${values} -d ${quoted(help)}`;
  });
  return `# vllm-router completion for fish: vllm-router completion fish | source
complete -c vllm-router -f
complete -c vllm-router -n __fish_use_subcommand -a ${quoted(COMMANDS.join(' '))}
complete -c vllm-router -n '__fish_seen_subcommand_from completion' -a ${quoted(COMPLETION_SHELLS.join(' '))}
${lines.join('\n')}
complete -c vllm-router -l help -d 'print help'
complete -c vllm-router -l version -d 'print the version'
`;
}
