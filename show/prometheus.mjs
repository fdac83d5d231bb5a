// A real Prometheus that scrapes what a show or a test has started: Debian's package prometheus, which has promtool too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Missing } from './figures.mjs';
import { atEnd, ROOT, Running, until } from './processes.mjs';

/** Throws Missing unless both programs are on PATH. */
export function needPrometheus() {
  const absent = ['prometheus', 'promtool'].filter((name) => spawnSync(name, ['--version']).status !== 0);
  if (absent.length === 0) return;
  throw new Missing(`${absent.join(' and ')} on PATH: Debian and Ubuntu have both in the package prometheus`);
}

/** Runs promtool in the project's folder; throws with what it says when it finds fault. */
export function promtool(...args) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Starts one on a free port of 127.0.0.1, with the project's alert rules.
 *
 * @param jobs base URLs of what each job scrapes, by its name; `labels` are given to all that a job scrapes
 * @param scrapeSeconds between two scrapes, and between two looks at the rules
 */
export async function startPrometheus(jobs, { scrapeSeconds = 1, labels = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-prometheus-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const interval = `${scrapeSeconds}s`;
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [join(ROOT, 'k8s', 'observability', 'alerts.yaml')],
    scrape_configs: Object.entries(jobs).map(([name, urls]) => ({
      job_name: name,
      static_configs: [{ targets: urls.map((url) => new URL(url).host), labels: labels[name] ?? {} }],
    })),
  };
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  promtool('check', 'config', file);
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const server = new Running('prometheus', [...flags, '--web.listen-address=127.0.0.1:0']);
  const [, address] = await server.says(/Listening on" address=([\d.]+:\d+)/);
  const url = `http://${address}`;
  await until(`${url}/-/ready is 200`, async () => (await fetch(`${url}/-/ready`)).ok);

  const ask = async (path, parameters = {}) => {
    const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = await answer.json();
    if (status !== 'success') throw new Error(`${parameters.query ?? path}: ${error}`);
    return data;
  };
  return {
    url,
    /** The series of an expression now: their labels and values, NaN left out. */
    query: async (query) => {
      const { result, resultType } = await ask('query', { query });
      if (resultType !== 'vector') throw new Error(`${query}: a ${resultType}, no series`);
      const series = result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
      return series.filter(({ value }) => !Number.isNaN(value));
    },
    /** The alerts that are pending or fire, with their labels and annotations. */
    alerts: async () => (await ask('alerts')).alerts,
    /** Each target's health and last error. */
    targets: async () => (await ask('targets', { state: 'active' })).activeTargets,
    stop: () => server.stop(),
  };
}
