// npm run chaos -- [--minutes 10] [--seed N] [--engines 6] [--rate 30] [--stream-failover continue] [--workers N]
//                  [--verbose] [--json FILE] [--log FILE: the end of what the router wrote]
//
// A run of so many minutes in which everything fails that can: engines are killed, stopped, started anew, refuse, reset,
// hang, lie, are full, drain, sleep; clients leave, stall, trickle and lie; the fleet and the strategy change. What
// happens when, and what is asked, follows from the seed. Each answer is held against the only right one: simulated
// engines answer a prompt alike, each prompt is unique, and its answer is known beforehand.
//
// LOST is a request whose client neither left nor lied about its length, and that did not get the whole right answer.
//
// A loss is AVOIDABLE unless one of these holds, each by the record of what was really done to the engines:
//   1. Between the arrival of the request and its end there was no engine of its model that was good all the time. Good
//      is an engine that is in the fleet and to which nothing is done: from the moment its last fault was lifted, and it
//      answered /health on a new connection, until just before the next one.
//   2. The answer had begun (it is a stream, a JSON answer of more than 1 MiB, or one of /v1/messages and /v1/responses
//      that the engine itself gave up as if complete), and something was done to the engine that it came from between
//      the arrival of the request and its end. With --stream-failover continue this excuses no chat or completion
//      stream of one choice.
//   3. It was answered with an error since the retry budget was spent: the router says so of it in its decision log,
//      and in the ten seconds before at least half of what the budget allows had been spent, as reckoned from outside.
//      It protects a sick fleet from its own load, and is counted apart.
//
// Whatever was done to engines: no answer may look complete and lack bytes (FALSE SUCCESS), hold bytes that the engine
// did not send or that are no HTTP (WRONG BYTES), say again what it has said (DUPLICATED), end without a word (BARE
// CUT; of a JSON answer above 1 MiB a cut is the word) or not end within 50 s; nothing may be in flight when all has
// ended; the router may not end, nor write of an unhandled error. Exit code 1 when any of these happened, else 0.
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Chaos } from './chaos.mjs';
import { findings, problemsOf, summarize, table } from './report.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    engines: { type: 'string', default: '6' },
    rate: { type: 'string', default: '30' },
    'phase-seconds': { type: 'string', default: '20' },
    'most-tokens': { type: 'string', default: '300' },
    'stream-failover': { type: 'string', default: 'error' },
    workers: { type: 'string', default: '1' },
    flag: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    log: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const wish = {
  seed: Number(values.seed),
  minutes: Number(values.minutes),
  engines: Number(values.engines),
  rate: Number(values.rate),
  phaseSeconds: Number(values['phase-seconds']),
  mostTokens: Number(values['most-tokens']),
  continues: values['stream-failover'] === 'continue',
  flags: [...(values.workers === '1' ? [] : ['--workers', values.workers]), ...values.flag],
  verbose: values.verbose,
  say: (line) => console.log(line),
};
if (!(wish.minutes > 0) || !(wish.engines >= 2) || !(wish.rate > 0) || !Number.isInteger(wish.seed)) {
  console.error('--minutes and --rate are above 0, --engines at least 2, --seed a whole number');
  process.exit(2);
}

console.log(
  `chaos: seed ${wish.seed}, ${wish.minutes} minutes, ${wish.engines} engines, ${wish.rate} requests/s`,
);
const result = await new Chaos(wish).run();
const summary = summarize(result);
const problems = problemsOf(summary);
const found = findings(result);
if (found !== '') console.log(`\n${found}`);
if (summary.crash !== null || summary.disasters.length > 0) console.log(`\n${result.log.slice(-4_000)}`);
console.log(`\n${table(summary)}\n`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ ...wish, ...summary, problems }, null, 2)}\n`);
if (values.log !== undefined) writeFileSync(values.log, result.log);
console.log(
  problems.length === 0 ? `chaos ${wish.seed}: held` : `chaos ${wish.seed}: NOT held: ${problems.join('; ')}`,
);
process.exit(problems.length === 0 ? 0 : 1);
