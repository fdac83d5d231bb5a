import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import {
  contextFilter,
  readCopy,
  readInstructions,
  readStages,
  type Instruction,
} from '../../support/dockerfile.js';
import { readProjectFile, ROOT } from '../../support/project-files.js';

const text = readProjectFile('Dockerfile');
const stages = readStages(text);
const runtime = stages.at(-1);
const all = (name: string): Instruction[] => readInstructions(text).filter((one) => one.name === name);
const runtimeHas = (name: string): string[] =>
  (runtime?.instructions ?? []).filter((one) => one.name === name).map(({ rest }) => rest);

describe('Dockerfile', () => {
  it('is the same as docker/Dockerfile', () => {
    expect(readProjectFile('docker/Dockerfile')).toBe(text);
  });

  it('takes every stage from the official Node image of a current LTS line, by no registry host', () => {
    expect(stages.map(({ base }) => base)).toEqual(Array(3).fill('node:24-bookworm-slim'));
  });

  it('copies from the context what exists there and what .dockerignore lets through', () => {
    const kept = contextFilter(readProjectFile('.dockerignore'));
    const sources = all('COPY')
      .map(({ rest }) => readCopy(rest))
      .filter(({ from }) => from === null)
      .flatMap((copy) => copy.sources);
    expect(sources).toEqual(expect.arrayContaining(['src', 'package-lock.json']));
    expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(sources.filter((path) => !kept(path))).toEqual([]);
    expect(['node_modules', 'dist/main.js', '.git/config', 'test'].filter(kept)).toEqual([]);
  });

  it('copies from stages that come before', () => {
    const names = stages.map(({ name }) => name);
    stages.forEach(({ instructions }, index) => {
      for (const { name, rest } of instructions) {
        const from = name === 'COPY' ? readCopy(rest).from : null;
        if (from !== null) expect(names.slice(0, index)).toContain(from);
      }
    });
  });

  it('runs nothing with an absolute path, so that its lines can be run anywhere', () => {
    const runs = all('RUN').map(({ rest }) => rest);
    expect(runs.filter((line) => /(^|[\s=])\/\w/.test(line))).toEqual([]);
    expect(runs.filter((line) => line.startsWith('npm ci'))).toEqual([
      expect.stringContaining('--ignore-scripts'),
      expect.stringMatching(/--omit=dev .*--ignore-scripts/),
    ]);
  });

  it('starts the binary as a user that is not root, and lets arguments be its flags', () => {
    expect(runtimeHas('USER')).toEqual(['1000:1000']);
    expect(runtimeHas('ENTRYPOINT')).toEqual(['["vllm-router"]']);
    expect(runtimeHas('CMD')).toEqual([]);
    expect(runtimeHas('RUN')).toEqual([]);
    expect(runtimeHas('EXPOSE')).toEqual(['8001']);
  });

  it('checks /health of the router', () => {
    const [line = ''] = runtimeHas('HEALTHCHECK');
    const command = JSON.parse(line.slice(line.indexOf('CMD') + 3)) as string[];
    expect(command.slice(0, 2)).toEqual(['node', '-e']);
    expect(() => new Script(command[2] ?? '')).not.toThrow();
    expect(command[2]).toContain('/health');
  });
});

describe('the reader of .dockerignore', () => {
  it('lets the last pattern decide, for folders and what lies in them', () => {
    const kept = contextFilter('# none\n*\n!src\nsrc/secret\n');
    expect(['src', 'src/a/b.ts', 'src/secret/key', 'srcs', 'a'].map(kept)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
