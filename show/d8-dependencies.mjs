// D8: what the router depends on in production: known vulnerabilities where the registry has an audit endpoint, else
// the tree and what is newer; and one line in SECURITY.md that says why each package is there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Figures } from './figures.mjs';
import { ROOT, run } from './processes.mjs';

const LIMIT = ['--fetch-retries=0', '--fetch-timeout=20000'];

/** The report of `npm audit`; null when the registry has no such endpoint, or does not answer. */
async function audit() {
  const { output } = await run('npm', ['audit', '--omit=dev', '--json', ...LIMIT]);
  const begin = output.indexOf('{');
  if (begin < 0) return null;
  try {
    const report = JSON.parse(output.slice(begin, output.lastIndexOf('}') + 1));
    return report.metadata?.vulnerabilities ?? null;
  } catch {
    return null;
  }
}

export async function show() {
  const figures = new Figures();
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const names = Object.keys(dependencies);
  const table = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8').split('## Dependencies')[1] ?? '';
  const rows = new Map(
    [...table.matchAll(/^\| `([^`]+)` \| (\S.*?) \|$/gm)].map(([, name, why]) => [name, why]),
  );
  for (const name of names) figures.note(name, rows.get(name) ?? 'no line');
  figures.equal('production dependencies', names.length, rows.size);
  figures.equal('without a line in SECURITY.md', names.filter((name) => !rows.has(name)).length, 0);

  const found = await audit();
  if (found !== null) {
    figures.note('npm audit --omit=dev', JSON.stringify(found));
    figures.equal('known vulnerabilities, high or critical', found.high + found.critical, 0);
    return figures;
  }
  figures.note('npm audit --omit=dev', 'no audit endpoint answers');
  const tree = await run('npm', ['ls', '--omit=dev', '--all', '--parseable']);
  figures.note('packages that are installed', tree.output.trim().split('\n').length - 1);
  figures.equal('npm ls --omit=dev', tree.code, 0);
  const newer = await run('npm', ['outdated', '--json', ...LIMIT]);
  let outdated = null;
  try {
    outdated = JSON.parse(newer.output.slice(newer.output.indexOf('{')) || '{}');
  } catch {
    figures.note('npm outdated', 'the registry does not answer');
  }
  for (const [name, { current, latest }] of Object.entries(outdated ?? {})) {
    if (names.includes(name)) figures.note(`npm outdated: ${name}`, `${current}, the newest is ${latest}`);
  }
  return figures;
}
