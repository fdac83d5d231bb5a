import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { readProjectFile } from '../support/project-files.js';
import { startTestRouter } from '../support/start-router.js';

const run = promisify(execFile);
const PAGE_URL = 'http://127.0.0.1:8001';
const commands = [...readProjectFile('examples/clients/curl.md').matchAll(/```bash\n([\s\S]*?)```/g)].map(
  ([, command = '']) => command.trim(),
);
const curlIsThere = spawnSync('curl', ['--version']).status === 0;

(curlIsThere ? describe : describe.skip)('the commands of examples/clients/curl.md', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  let home: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'curl-examples-'));
    // An answer of 400 or more ends curl with an error; nothing else of the command changes.
    writeFileSync(join(home, '.curlrc'), 'silent\nshow-error\nfail-with-body\n');
    engine = await startSimulatedEngine({
      profile: 'instant',
      models: ['demo-small', { id: 'demo-small-sql', parent: 'demo-small' }],
      lora: true,
      autoToolChoice: true,
    });
    router = await startTestRouter([engine], ['--allow-explain']);
  });
  afterAll(async () => {
    await router.close();
    await engine.close(0);
    rmSync(home, { recursive: true });
  });

  it('are many', () => expect(commands.length).toBeGreaterThan(10));

  it.each(commands)('%s', async (command) => {
    expect(command).toContain(PAGE_URL);
    const { stdout } = await run('bash', ['-c', command.replaceAll(PAGE_URL, router.url)], {
      env: { PATH: process.env['PATH'], CURL_HOME: home },
      timeout: 20_000,
    });
    if (command.includes('"stream": true')) expect(stdout).toMatch(/^data: \{[\s\S]*\ndata: \[DONE\]\n/);
    else if (command.includes('x-vllm-router-explain'))
      expect(stdout).toMatch(/^x-vllm-router-explain: engine=/im);
    else expect(JSON.parse(stdout)).toEqual(expect.any(Object));
  });
});
