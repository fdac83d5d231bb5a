import { parseCli } from '../../../src/config/cli.js';
import { ERROR_CODES } from '../../../src/core/error-code.js';
import { FAILURE_RULES } from '../../../src/core/health/failure-rules.js';
import { projectFiles, readProjectFile } from '../../support/project-files.js';

const text = readProjectFile('docs/troubleshooting.md');

/** Blocks of code of one language. */
const blocksOf = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  );

const linesOf = (block: string): string[] =>
  block
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The sources of the router as what they write: `…` stands for what differs from line to line. */
const written = projectFiles('src')
  .map(readProjectFile)
  .join('\n')
  .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
  .replace(/…+/g, '…');

describe('docs/troubleshooting.md', () => {
  it('has every code of an error', () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });

  it('has every cause of an ejection, with what to do', () => {
    const causes = Object.entries(FAILURE_RULES).filter(([, { weight }]) => weight !== 'none');
    const rows = [...text.matchAll(/^\| (`[a-z0-9_]+`(?:, `[a-z0-9_]+`)*) \|.+\|.+\|$/gm)].map(
      ([, names = '']) => names,
    );
    expect(causes.filter(([cause]) => !rows.some((names) => names.includes(`\`${cause}\``)))).toEqual([]);
  });

  it('quotes lines that the router writes', () => {
    const quoted = blocksOf('log').flatMap(linesOf);
    expect(quoted.length).toBeGreaterThan(10);
    expect(quoted.filter((line) => !written.includes(line))).toEqual([]);
  });

  it('quotes words of errors that the router says', () => {
    // A word alone is a name; words with a space between are what somebody reads.
    const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, '');
    const said = [...prose.matchAll(/`([^`\n]+)`/g)]
      .map(([, words = '']) => words)
      .filter((words) => words.includes(' '));
    const others =
      /^(--|vllm-router |kubectl |GET |POST |ulimit |curl |HTTP |Authorization: |proxy_buffering )/;
    expect(said.filter((words) => !others.test(words) && !written.includes(words))).toEqual([]);
  });

  it('names commands that exist', () => {
    const named = [...text.matchAll(/(?:^ *|`)vllm-router ([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => parseCli([name], '0').command !== name)).toEqual([]);
  });

  it('names alerts that exist', () => {
    const alerts = readProjectFile('k8s/observability/alerts.yaml');
    const named = [...text.matchAll(/`(VllmRouter[A-Za-z]+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !alerts.includes(`alert: ${name}\n`))).toEqual([]);
  });
});
