import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readProjectFile, ROOT } from '../support/project-files.js';
import { until } from '../support/until.js';
import { type Prometheus, promtool, startPrometheus } from './support/prometheus.js';

interface Process {
  says(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): Promise<void>;
}

const { Running, untilReady } = require('../../show/processes.mjs') as {
  Running: new (command: string, args: readonly string[]) => Process;
  untilReady(url: string): Promise<void>;
};

const { services } = parse(readProjectFile('docker-compose.yaml'), { merge: true }) as {
  services: Record<string, { command: string[] }>;
};
const CONFIG = readProjectFile('examples/compose/prometheus.yml');

/** Runs the command of a service here, where each host of the file is a free port of loopback. */
function runService(name: string, places: ReadonlyMap<string, string>): Process {
  const args = (services[name]?.command ?? []).map((arg) =>
    [...places].reduce((text, [from, to]) => text.replace(from, to), arg),
  );
  const here = args.map((arg) =>
    arg.replace(/^--host=.*/, '--host=127.0.0.1').replace(/^--port=.*/, '--port=0'),
  );
  return new Running(process.execPath, [join(ROOT, 'dist/main.js'), ...here]);
}

describe('docker-compose.yaml, its commands run without containers', () => {
  const running: Process[] = [];
  /** Where each service of the file is, by `host:port` of the file. */
  const places = new Map<string, string>();
  let prometheus: Prometheus | null = null;
  let router = '';

  beforeAll(async () => {
    for (const name of ['engine-1', 'engine-2']) {
      const engine = runService(name, places);
      running.push(engine);
      const [, url = ''] = await engine.says(/"url":"([^"]+)"/);
      places.set(`${name}:8000`, new URL(url).host);
    }
    const process_ = runService('router', places);
    running.push(process_);
    const [, address = ''] = await process_.says(/listening on (?:http:\/\/)?([\d.]+:\d+)/);
    places.set('router:8001', address);
    router = `http://${address}`;
    await untilReady(router);
  });
  afterAll(async () => {
    await prometheus?.stop();
    for (const one of running) await one.stop();
  });

  it('answer a streamed chat', async () => {
    const answer = await fetch(`${router}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'demo-small',
        stream: true,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    });
    expect([answer.status, (await answer.text()).endsWith('data: [DONE]\n\n')]).toEqual([200, true]);
  });

  it('are all scraped by its Prometheus', async () => {
    const { scrape_configs: jobs } = parse(CONFIG) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const urls = jobs.map(({ job_name: name, static_configs: configs }): [string, string[]] => [
      name,
      configs.flatMap(({ targets }) => targets.map((target) => `http://${places.get(target)}`)),
    ]);
    prometheus = await startPrometheus(Object.fromEntries(urls));
    const up = async (): Promise<string[]> =>
      (await prometheus?.query('up == 1'))?.map(({ labels }) => `${labels['job']}`) ?? [];
    await until(async () => (await up()).length === 3);
    expect(new Set(await up())).toEqual(new Set(['vllm-router', 'engines']));
  });

  it('have a configuration of Prometheus that promtool accepts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vllm-router-compose-'));
    try {
      const file = join(folder, 'prometheus.yml');
      writeFileSync(file, CONFIG);
      writeFileSync(join(folder, 'alerts.yaml'), readProjectFile('k8s/observability/alerts.yaml'));
      expect(promtool('check', 'config', file)).toContain('SUCCESS');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
