// E6: schemathesis makes requests up from the router's own /openapi.json, good ones and bad ones, and holds each answer of
// a real router with simulated engines against it: with one process, with two workers, and with keys.
//   --seconds 60    for each of the three
//   --seed 1
// SCHEMATHESIS names its program; default: the one of the folder that is said when it is missing, else that of PATH.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Figures, Missing } from './figures.mjs';
import { atEnd, run, startRouter, startSimulatedEngine, until } from './processes.mjs';

const VENV = join(homedir(), '.cache', 'vllm-router-lab', 'schemathesis-venv');
const INSTALL = `python3 -m venv ${VENV} && ${join(VENV, 'bin', 'pip')} install schemathesis`;
const KEYS = { client: 'key-of-a-client', admin: 'key-of-an-operator' };
/** What is tried by itself, and for how long. */
const DRAIN = 'drainEngine';
const DRAIN_SECONDS = '5';

function programAt() {
  const [given, own] = [process.env.SCHEMATHESIS, join(VENV, 'bin', 'schemathesis')];
  const program = given ?? (existsSync(own) ? own : 'schemathesis');
  if (spawnSync(program, ['--version']).status === 0) return program;
  throw new Missing(`schemathesis; ${INSTALL}`);
}

/** Which models the examples ask for: the engines serve them all. */
async function modelsOfExamples(url) {
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  const media = Object.values(paths).flatMap(({ post }) => Object.values(post?.requestBody?.content ?? {}));
  return [...new Set(media.flatMap(({ example }) => example.model ?? []))];
}

/**
 * What is asked of the answers. Requests of whose bodies an engine judges, and not the router, may be refused where the
 * document allows them, and served where it does not. A path that the router has no such method for is one that an engine
 * may have: 404 and not 405. A client whose own time for a request is over is told 504, as it asked for.
 */
const CONFIG = `
[checks]
unsupported_method.enabled = false
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 504]

[[operations]]
include-tag = ["Generation", "Pooling", "Tokens", "Audio", "Images"]
checks.negative_data_rejection.enabled = false
checks.positive_data_acceptance.enabled = false
`;
const bearer = (scheme, key) => `[auth.openapi.${scheme}]\nbearer = "${key}"\n`;
const apiKey = (scheme, key) => `[auth.openapi.${scheme}]\napi_key = "${key}"\n`;

const DEADLINE = /^x-(request|connect|first-byte|idle)-timeout-ms$/i;
const askedForIt = ({ request }) => request.headers.some(({ name }) => DEADLINE.test(name));

/** Lets it loose on one router. */
async function loose(figures, name, { program, folder, models, seconds, seed }, flags, auth) {
  const serves = ['--model', models.join(',')];
  const engines = [await startSimulatedEngine(serves), await startSimulatedEngine(serves)];
  const router = await startRouter([
    ...['--service-discovery', 'static', '--static-backends', engines.map(({ url }) => url).join(',')],
    ...['--routing-logic', 'prefixaware', '--allow-explain', '--dashboard', '--admin-key', KEYS.admin],
    ...flags,
  ]);
  const headers = { 'x-api-key': KEYS.client };
  await until('all models are known', async () => {
    const { data } = await (await fetch(`${router.url}/v1/models`, { headers })).json();
    return data.length === models.length;
  });
  const config = join(folder, `${name}.toml`);
  writeFileSync(config, `${CONFIG}\n${auth}`);
  const entries = [];
  let contradictions = 0;
  // It finds out what the engines are called, and would drain all of them while it asks for models.
  for (const [only, time] of [
    [['--exclude-operation-id', DRAIN], seconds],
    [['--include-operation-id', DRAIN], DRAIN_SECONDS],
  ]) {
    const report = join(folder, `${name}.har`);
    const { code, output } = await run(
      program,
      [
        ...[
          '--config-file',
          config,
          'run',
          `${router.url}/openapi.json`,
          '--no-color',
          '--continue-on-failure',
        ],
        ...[...only, '--max-time', time, '--seed', seed, '--request-timeout', '20'],
        ...['--report', 'har', '--report-har-path', report, '--report-dir', folder],
      ],
      { cwd: folder },
    );
    if (code !== 0) {
      console.log(output.slice(-20_000));
      // It ends with 1 when it has failures, and says how many in its last line.
      contradictions += Number(/(\d+) failures?/.exec(output.trimEnd().split('\n').at(-1))?.[1] ?? 1);
    }
    entries.push(...JSON.parse(readFileSync(report, 'utf8')).log.entries);
  }
  const statuses = new Map();
  for (const { response } of entries) {
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
  const told = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  const errors = entries.filter((entry) => entry.response.status >= 500 && !askedForIt(entry));
  figures.check(`${name}: answers`, entries.length, '> 500', entries.length > 500);
  figures.note(`${name}: by status`, told.join(', '));
  figures.equal(`${name}: answers that contradict the document`, contradictions, 0);
  figures.equal(`${name}: 500 and above that no limit of the client asked for`, errors.length, 0);
  figures.equal(`${name}: engines that are ejected afterwards`, await ejected(router.url), 0);
  figures.equal(`${name}: lines of errors in its log`, logged(router.output), 0);
  await router.stop();
  await Promise.all(engines.map((engine) => engine.stop()));
}

async function ejected(url) {
  const answer = await fetch(`${url}/health`, { headers: { 'x-api-key': KEYS.admin } });
  return (await answer.json()).engines.states.ejected ?? 0;
}

const logged = (output) => output.split('\n').filter((line) => /\bERROR\b|"level":50/.test(line)).length;

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
  });
  const program = programAt();
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-api-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const figures = new Figures();
  figures.note('schemathesis', spawnSync(program, ['--version']).stdout.toString().trim().split(' ').at(-1));

  const first = await startRouter([
    ...['--service-discovery', 'static', '--static-backends', 'http://127.0.0.1:9', '--static-models', 'm'],
    ...['--routing-logic', 'roundrobin'],
  ]);
  const given = { program, folder, models: await modelsOfExamples(first.url), ...values };
  await first.stop();

  const admin = bearer('adminKey', KEYS.admin);
  await loose(figures, 'one process', given, [], admin);
  await loose(figures, 'two workers', given, ['--workers', '2'], admin);
  const file = join(folder, 'keys');
  writeFileSync(file, `team:${createHash('sha256').update(KEYS.client).digest('hex')}\n`);
  const both = admin + apiKey('clientKeyHeader', KEYS.client);
  await loose(figures, 'keys', given, ['--api-key-file', file], both);
  return figures;
}
