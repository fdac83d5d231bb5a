// Writes docs/configuration.md from the settings table. With --check it writes nothing and fails when
// the page is stale. Needs a build: it reads dist/.
import { readFile, writeFile } from 'node:fs/promises';
import { LEGACY_DYNAMIC_KEYS, LEGACY_FLAGS } from '../dist/config/legacy-flags.js';
import { displayDefault, displayUnit } from '../dist/config/setting-display.js';
import { SETTING_GROUPS } from '../dist/config/setting-kinds.js';
import { envOf, flagOf, toSnake } from '../dist/config/setting-names.js';
import { SETTING_KEYS, settingOf } from '../dist/config/settings.schema.js';

const page = new URL('../docs/configuration.md', import.meta.url);

const cell = (text) => text.replace(/[|*]/g, '\\$&').replaceAll('\n', ' ');
const code = (text) => (text === '' ? '' : `\`${text}\``);
const keysOf = (group) => SETTING_KEYS.filter((key) => settingOf(key).group === group);
const dynamicKeys = SETTING_KEYS.filter((key) => settingOf(key).dynamic).map(toSnake);

function row(key) {
  const setting = settingOf(key);
  const flag = setting.onlyEnv === undefined ? code(flagOf(key)) : '';
  const facts = [setting.help, `Allowed: ${setting.allowed}.`];
  if (setting.dynamic) facts.push('May stand in the dynamic file.');
  if (setting.repeatable) facts.push('May be given several times.');
  return `| ${flag} | ${code(envOf(key))} | ${code(displayDefault(key))} | ${displayUnit(setting)} | ${cell(facts.join(' '))} |`;
}

const sections = SETTING_GROUPS.map((group) =>
  [
    `## ${group}`,
    '',
    '| Flag | Environment | Default | Value | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...keysOf(group).map(row),
  ].join('\n'),
);

const wanted = `# Configuration

This page is generated from the settings table in \`src/config/settings/\` by \`scripts/generate-docs.mjs\`;
do not edit it.

A setting's value comes from the last of these that names it: built-in default, plugin, file of \`--config\`,
environment variable, flag, dynamic file. \`vllm-router config [flags]\` prints every value in force and where
it comes from. A value that is not allowed ends the start with exit code 2 and one line for each problem.

- Flags are written \`--flag value\` or \`--flag=value\`; those of kind \`bool\` need no value.
- Durations are in seconds; fractions are allowed.
- Sizes are bytes or \`64k\`, \`64KiB\` (1024 each), \`64KB\` (1000 each), and so on for M and G.
- Lists are separated by commas.
- Files hold one JSON or YAML mapping, at most 1 MiB. Keys are the flags' names: \`k8s_port\`, in the file of
  \`--config\` also \`k8s-port\` or \`k8sPort\`. Lists may be lists or text with commas.
- An empty environment variable counts as not set. Variables that Kubernetes makes beside a Service named
  vllm-router (such as \`VLLM_ROUTER_PORT=tcp://10.0.0.1:80\`) are never settings.

${sections.join('\n\n')}

## What the dynamic file may hold

\`service_discovery\` and \`routing_logic\` must stand in it. These may: ${dynamicKeys
  .filter((key) => key !== 'service_discovery' && key !== 'routing_logic')
  .map(code)
  .join(', ')}.

- A key that is not known, or a required one that is missing, rejects the whole file; the settings in force stay,
  and \`/health\`, a metric and a log line say why.
- An absent key falls back to the flag, environment or config file. Two exceptions: \`static_models\` always comes
  from where \`static_backends\` comes from; and a file that changes the discovery type brings that type's keys
  itself, or gets the defaults above.
- YAML may give \`static_models\` as a mapping: \`{model: {static_backends: [url, ...]}}\`.
- Known and ignored, with a warning: ${[...LEGACY_DYNAMIC_KEYS].map(code).join(', ')}.

## Flags that are accepted and ignored

They belong to production-stack's router and have no meaning here. Each warns once.

${[...LEGACY_FLAGS.keys()].map((name) => code(`--${name}`)).join(', ')}
`;

if (process.argv.includes('--check')) {
  const present = await readFile(page, 'utf8').catch(() => '');
  if (present !== wanted) {
    console.error('docs/configuration.md is stale; run node scripts/generate-docs.mjs after a build');
    process.exitCode = 1;
  }
} else {
  await writeFile(page, wanted);
}
