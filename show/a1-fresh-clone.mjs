// A1: in a fresh clone the README's two commands, each as the first: `npm run demo` streams a chat answer (with
// --once, so that it ends) and `npm test` ends green. Clones what is committed.
//   --only demo|test
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { Figures, Missing } from './figures.mjs';
import { atEnd, freshEnv, ROOT, run } from './processes.mjs';

const TEST_SECONDS = 240;

async function cloneInto(folder) {
  const { code, output } = await run('git', ['clone', '--quiet', ROOT, folder]);
  if (code !== 0) throw new Missing(`a git clone of the project: ${output.trim()}`);
}

/** Runs npm in a fresh clone; its exit code, output and seconds. */
async function inFreshClone(name, args) {
  const folder = mkdtempSync(join(tmpdir(), `vllm-router-a1-${name}-`));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  await cloneInto(folder);
  const startedAt = performance.now();
  const { code, output } = await run('npm', args, { cwd: folder, env: freshEnv() });
  return { code, output, seconds: (performance.now() - startedAt) / 1000 };
}

const lastLines = (output, count) =>
  stripVTControlCharacters(output).trim().split('\n').slice(-count).join('\n');

export async function show(args) {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } } });
  const figures = new Figures();
  const { output: head } = await run('git', ['log', '-1', '--format=%h %s']);
  const { output: changes } = await run('git', ['status', '--porcelain']);
  figures.note('clone of', head.trim());
  if (changes !== '')
    figures.note('not committed, so not in it', `${changes.trim().split('\n').length} files`);

  if (values.only !== 'test') {
    const demo = await inFreshClone('demo', ['run', 'demo', '--', '--once']);
    console.log(lastLines(demo.output, 25));
    figures.equal('npm run demo -- --once: exit code', demo.code, 0);
    const streamed = /simulated vLLM engine/.test(demo.output) && /curl/.test(demo.output);
    figures.check('it printed a curl line and an answer', streamed, 'true', streamed);
    figures.note('npm run demo, npm ci and build included', `${demo.seconds.toFixed(0)} s`);
  }
  if (values.only !== 'demo') {
    const test = await inFreshClone('test', ['test']);
    console.log(lastLines(test.output, 12));
    figures.equal('npm test: exit code', test.code, 0);
    figures.below('npm test, npm ci and build included', test.seconds, TEST_SECONDS, 's');
  }
  return figures;
}
