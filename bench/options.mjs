// The benchmark's command line.
import { cpus as processors } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Missing } from './native.mjs';
import { STAGES } from './stages.mjs';

export const HELP = `npm run bench -- [options]

  --quick              fewer windows
  --runs N             whole runs, 1 to 20 (1)
  --only a,b           these rows only, e.g. ours,nginx,smg; "direct" is always there
  --stages a,b         of verify, start, ${Object.keys(STAGES).join(', ')}, hold
  --verify-only        correctness alone
  --ours-flags "..."   a further row: ours with these flags; may be given more than once
  --ours-dir DIR       a further row: ours of another checkout that is built; may be given more than once
  --engines N          engines behind each, 1 to 16 (4)
  --profile            flame graphs of ours under each load instead of figures
  --write              write docs/performance.md and its charts
  --from FILE          render results of earlier runs instead of measuring; may be given more than once
  --no-isolation       plain loopback, as root too

BENCH_LAB names the folder of the peers and results. Peers have core 0, engines and load core 1.`;

const KNOWN_STAGES = ['verify', 'start', ...Object.keys(STAGES), 'hold'];

function whole(text, name, least, most) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Missing(
    `--${name} is ${JSON.stringify(text)}; it must be a whole number from ${least} to ${most}`,
  );
}

const list = (text) =>
  text
    ?.split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/**
 * Options from arguments; throws Missing with one sentence when they are wrong. `cpus` are those of the machine:
 * this process itself may be bound to one of them.
 */
export function readOptions(args, { root = process.getuid?.() === 0, cpus = processors().length } = {}) {
  const flag = { type: 'boolean', default: false };
  const many = { type: 'string', multiple: true, default: [] };
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        ...{ help: flag, quick: flag, 'verify-only': flag, profile: flag, write: flag, 'no-isolation': flag },
        ...{ only: { type: 'string' }, stages: { type: 'string' } },
        ...{ runs: { type: 'string', default: '1' }, engines: { type: 'string', default: '4' } },
        ...{ 'ours-flags': many, 'ours-dir': many, from: many },
      },
    }));
  } catch (error) {
    throw new Missing(`${error.message}; --help lists the options`);
  }
  const stages = values['verify-only'] ? ['verify'] : (list(values.stages) ?? KNOWN_STAGES);
  const unknown = stages.find((stage) => !KNOWN_STAGES.includes(stage));
  if (unknown !== undefined)
    throw new Missing(`there is no stage ${unknown}; there are ${KNOWN_STAGES.join(', ')}`);
  return {
    ...{
      help: values.help,
      quick: values.quick,
      profile: values.profile,
      write: values.write,
      from: values.from,
    },
    ...{ stages, only: list(values.only), flags: values['ours-flags'], folders: values['ours-dir'] },
    runs: whole(values.runs, 'runs', 1, 20),
    engineCount: whole(values.engines, 'engines', 1, 16),
    isolate: root && !values['no-isolation'],
    cores: cpus > 1 ? { peers: 0, load: 1 } : { peers: 0, load: 0 },
  };
}
