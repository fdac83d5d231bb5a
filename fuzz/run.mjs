// npm run fuzz -- [--seconds 60] [--seed N] [--only NAME] [--path P]
//
// Made up input by the million, for a share of the time each: what comes from clients, engines, files and the API
// server. A failure prints the smallest input that shows it, and the seed and path that bring it back. Exit code 1.
import process from 'node:process';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { config, dynamic } from './config.mjs';
import { http } from './http.mjs';
import { metricsText } from './metrics-text.mjs';
import { pods, watch } from './pods.mjs';
import { prompts } from './prompts.mjs';
import { bodies } from './bodies.mjs';
import { splits } from './splits.mjs';

/** Name, what must hold, and how it is tried; `start` gives the property and a way to end what it needs. */
const TARGETS = {
  http: [
    'heads and bodies on raw connections: an answer or an end, in time, and no engine hears more than was asked',
    http,
  ],
  bodies: ['bodies of requests: read or refused with a router error', bodies],
  splits: ['a stream is relayed byte by byte, however it is cut, and commits at the same frame', splits],
  metrics: ['metrics of engines: read or null, never an error', metricsText],
  config: ['flags, environment and config file: settings or an error for the operator', config],
  dynamic: ['the dynamic file: settings or an error for the operator', dynamic],
  pods: ['pods, Services and slices: engines with usable URLs, or reasons', pods],
  watch: ['events of a watch: the same however they are cut, or a format error', watch],
  prompts: ['prompts: bounded blocks, the same for the same prompt', prompts],
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    path: { type: 'string' },
  },
});
const seed = Number(values.seed);
const names = Object.keys(TARGETS).filter((name) => values.only === undefined || name === values.only);
if (names.length === 0 || !(Number(values.seconds) > 0) || !Number.isInteger(seed)) {
  console.error(
    `--only is one of ${Object.keys(TARGETS).join(', ')}; --seconds above 0; --seed a whole number`,
  );
  process.exit(2);
}

let failed = false;
console.log(`fuzz: seed ${seed}`);
for (const name of names) {
  const [what, start] = TARGETS[name];
  const { property, stop } = await start();
  const checked = await fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: (Number(values.seconds) * 1_000) / names.length,
    markInterruptAsFailure: false,
    ...(values.path === undefined ? {} : { path: values.path }),
  });
  await stop?.();
  console.log(`  ${name.padEnd(8)} ${String(checked.numRuns).padStart(8)} tries: ${what}`);
  if (!checked.failed) continue;
  failed = true;
  const why = checked.errorInstance instanceof Error ? checked.errorInstance.stack : checked.errorInstance;
  console.log(
    `${await fc.asyncDefaultReportMessage(checked)}\n${why}\nagain: npm run fuzz -- --seed ${seed} --only ${name} --path ${checked.counterexamplePath}`,
  );
}
console.log(failed ? `fuzz ${seed}: FAILED` : `fuzz ${seed}: held`);
process.exit(failed ? 1 : 0);
