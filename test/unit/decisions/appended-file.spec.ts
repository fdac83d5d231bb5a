import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppendedFile, type FileListener } from '../../../src/decisions/appended-file.js';
import { LogRotation } from '../../../src/decisions/log-rotation.js';

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

describe('a file that lines are appended to', () => {
  let folder: string;
  let path: string;
  let dropped: number;
  let failures: string[];
  const listener: FileListener = {
    dropped: (lines) => (dropped += lines),
    failing: (error) => failures.push(error.message),
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'appended-file-'));
    path = join(folder, 'log');
    dropped = 0;
    failures = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has them all, in order, once it is closed', async () => {
    const file = new AppendedFile(path, 10_000, listener);
    const lines = Array.from({ length: 500 }, (_, n) => `line ${n}`);
    for (const [at, line] of lines.entries()) {
      file.add(line);
      if (at % 100 === 0) await file.flush();
    }
    await file.close();
    expect(linesOf(path)).toEqual(lines);
    expect(dropped).toBe(0);
  });

  it('gives up lines beyond the bound on what waits, and takes lines again when some are written', async () => {
    const file = new AppendedFile(path, 100, listener);
    for (let n = 0; n < 20; n++) file.add('123456789');
    expect(dropped).toBe(10);
    // What is being written waits too.
    const flushed = file.flush();
    file.add('123456789');
    expect(dropped).toBe(11);
    await flushed;
    file.add('last');
    await file.close();
    expect(linesOf(path)).toEqual([...Array.from({ length: 10 }, () => '123456789'), 'last']);
  });

  it('gives up what cannot be written, says so once, and goes on when it can', async () => {
    const gone = join(folder, 'sub');
    mkdirSync(gone);
    const file = new AppendedFile(join(gone, 'log'), 1_000, listener);
    rmSync(gone, { recursive: true });
    for (const line of ['a', 'b', 'c']) {
      file.add(line);
      await file.flush();
    }
    expect(dropped).toBe(3);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('ENOENT');
    mkdirSync(gone);
    file.add('d');
    await file.close();
    expect(linesOf(join(gone, 'log'))).toEqual(['d']);
  });

  it('goes on in a new file when it has been renamed, by others too', async () => {
    const [one, two] = [1, 2].map(() => new AppendedFile(path, 1_000, listener)) as [
      AppendedFile,
      AppendedFile,
    ];
    for (const file of [one, two]) file.add('before');
    await Promise.all([one.flush(), two.flush()]);
    renameSync(path, `${path}.1`);
    for (const file of [one, two]) file.add('after');
    await Promise.all([one.close(), two.close()]);
    expect(linesOf(`${path}.1`)).toEqual(['before', 'before']);
    expect(linesOf(path)).toEqual(['after', 'after']);
  });

  it('is renamed at its size, and the one before is given up', async () => {
    const file = new AppendedFile(path, 1_000, listener);
    const rotation = new LogRotation(path, 10, (error) => failures.push(error.message));
    await rotation.look();
    for (const line of ['first', 'second', 'third', 'fourth']) {
      file.add(line);
      await file.flush();
      await rotation.look();
    }
    expect(linesOf(`${path}.1`)).toEqual(['third', 'fourth']);
    expect(existsSync(path)).toBe(false);
    await file.close();
    expect(failures).toEqual([]);
  });

  it('is renamed once where the disk is so slow that it is looked at again meanwhile', async () => {
    writeFileSync(path, 'long enough\n');
    const rotation = new LogRotation(path, 10, (error) => failures.push(error.message));
    await Promise.all(Array.from({ length: 8 }, async () => rotation.look()));
    expect(linesOf(`${path}.1`)).toEqual(['long enough']);
    expect(failures).toEqual([]);
  });

  it('is renamed again once that works again, and the failure is told once', async () => {
    writeFileSync(path, 'long enough\n');
    mkdirSync(`${path}.1`);
    const rotation = new LogRotation(path, 10, (error) => failures.push(error.message));
    for (let time = 0; time < 3; time++) await rotation.look();
    expect(failures).toHaveLength(1);
    rmSync(`${path}.1`, { recursive: true });
    await rotation.look();
    expect(linesOf(`${path}.1`)).toEqual(['long enough']);
    writeFileSync(path, 'long enough\n');
    rmSync(`${path}.1`);
    mkdirSync(`${path}.1`);
    await rotation.look();
    expect(failures).toHaveLength(2);
  });

  it('is opened anew when what is open cannot even be looked at, as when its disk has gone', async () => {
    const file = new AppendedFile(path, 1_000, listener);
    file.add('before');
    await file.flush();
    const other = await open(path);
    const stale = jest.spyOn(Object.getPrototypeOf(other) as FileHandle, 'stat');
    stale.mockRejectedValue(new Error('ESTALE'));
    file.add('after');
    await file.flush();
    stale.mockRestore();
    await other.close();
    await file.close();
    expect(failures).toEqual([]);
    expect(linesOf(path)).toEqual(['before', 'after']);
  });

  it('is not waited for when a pipe has taken its place', async () => {
    const file = new AppendedFile(path, 1_000, listener);
    execFileSync('mkfifo', [path]);
    file.add('nobody reads');
    await file.flush();
    expect(failures).toHaveLength(1);
    rmSync(path);
    file.add('after');
    await file.close();
    expect(linesOf(path)).toEqual(['after']);
  });

  it('is refused where lines cannot be appended, without waiting', () => {
    expect(() => AppendedFile.check(join(folder, 'none', 'log'))).toThrow('ENOENT');
    expect(() => AppendedFile.check(folder)).toThrow('it is no file');
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => AppendedFile.check(pipe)).toThrow('it is no file');
    AppendedFile.check(path);
    expect(linesOf(path)).toEqual([]);
  });
});
