import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, execute, outerEnv, pathOf, type Image } from '../support/dockerfile.js';
import { readProjectFile, ROOT } from '../support/project-files.js';

// The lines of the Dockerfile, run without a container engine: two `npm ci` and one build.
jest.setTimeout(300_000);

let work: string;
let image: Image;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'vllm-router-image-'));
  image = await buildImage(readProjectFile('Dockerfile'), ROOT, work);
});

afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

const surroundings = (): { env: NodeJS.ProcessEnv; cwd: string } => ({
  env: { ...outerEnv(), ...Object.fromEntries(image.env), PATH: pathOf(image) },
  cwd: join(image.root, image.workdir),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('the image', () => {
  it('holds the program and its packages, and nothing that only builds or tests', async () => {
    const folder = join(image.root, '/opt/vllm-router');
    expect((await readdir(folder)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'node_modules',
      'package.json',
    ]);
    for (const name of ['typescript', 'jest', '@nestjs/cli', '@nestjs/testing', 'oxlint']) {
      expect(existsSync(join(folder, 'node_modules', name))).toBe(false);
    }
    expect(image.user).toBe('1000:1000');
  });

  it('starts the binary with the arguments given to it', async () => {
    const [program = '', ...args] = image.entrypoint;
    const { version } = JSON.parse(readProjectFile('package.json')) as { version: string };
    expect(await execute(program, [...args, '--version'], surroundings())).toEqual({
      code: 0,
      output: `${version}\n`,
    });
  });

  it('is healthy while it serves, on the port of its arguments, and not when it is gone', async () => {
    const port = await freePort();
    const nobody = await freePort();
    const [program = '', ...args] = image.entrypoint;
    // The arguments that production-stack's chart gives, with a static engine.
    const manifest = ['--host', '127.0.0.1', '--port', String(port), '--service-discovery', 'static'];
    manifest.push('--static-backends', `http://127.0.0.1:${nobody}`, '--static-models', 'm');
    manifest.push(
      '--routing-logic',
      'roundrobin',
      '--engine-stats-interval',
      '15',
      '--request-stats-window',
      '60',
    );
    manifest.push('--shutdown-delay', '0');
    const router = spawn(program, [...args, ...manifest], {
      ...surroundings(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const log = await new Promise<string>((resolve) => {
        let text = '';
        router.stdout.on('data', (more: Buffer) => {
          text += more.toString();
          if (text.includes('listening on')) resolve(text);
        });
        router.on('exit', () => resolve(text));
      });
      expect(log).toContain('listening on');
      // In a container the router is process 1.
      const [node = '', ...check] = image.healthcheck.map((part) =>
        part.replace('/proc/1/', `/proc/${router.pid}/`),
      );
      expect(await execute(node, check, surroundings())).toEqual({ code: 0, output: '' });

      const ended = once(router, 'exit');
      router.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      const [, ...gone] = image.healthcheck.map((part) => part.replace('/proc/1/cmdline', '/dev/null'));
      const env = { ...surroundings().env, VLLM_ROUTER_PORT: String(nobody) };
      expect((await execute(node, gone, { ...surroundings(), env })).code).toBe(1);
    } finally {
      router.kill('SIGKILL');
    }
  });
});
