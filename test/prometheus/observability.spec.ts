import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readProjectFile } from '../support/project-files.js';

interface Expression {
  readonly source: string;
  readonly name: string;
  readonly expression: string;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Prometheus {
  query(expression: string): Promise<Series[]>;
  alerts(): Promise<{ annotations: Record<string, string> }[]>;
  targets(): Promise<{ health: string; lastError: string }[]>;
  stop(): Promise<void>;
}

interface Fleet {
  readonly url: string;
  readonly engines: string[];
  stop(): Promise<void>;
}

const { observedExpressions } = require('../../show/observed-expressions.mjs') as {
  observedExpressions(window: string): Expression[];
};
const { startObservedFleet } = require('../../show/observed-fleet.mjs') as {
  startObservedFleet(): Promise<Fleet>;
};
const { promtool, startPrometheus } = require('../../show/prometheus.mjs') as {
  promtool(...args: readonly string[]): string;
  startPrometheus(jobs: Readonly<Record<string, readonly string[]>>): Promise<Prometheus>;
};

const RULES = 'k8s/observability/alerts.yaml';
const RULE_TESTS = 'test/prometheus/alerts.test.yaml';

describe('the alert rules', () => {
  it('are accepted by promtool', () => {
    expect(promtool('check', 'rules', RULES)).toContain('SUCCESS');
  });

  it('fire for what is wrong and for nothing else', () => {
    expect(promtool('test', 'rules', RULE_TESTS)).toContain('SUCCESS');
    const alerts = (text: string, before: string): Set<string> =>
      new Set([...text.matchAll(new RegExp(`${before}(\\w+)`, 'g'))].map(([, name = '']) => name));
    expect(alerts(readProjectFile(RULE_TESTS), '- name: ')).toEqual(
      alerts(readProjectFile(RULES), '- alert: '),
    );
  });
});

it('the configuration of docker-compose.yaml is accepted by promtool, with the rules beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-compose-'));
  try {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, readProjectFile('examples/compose/prometheus.yml'));
    writeFileSync(join(folder, 'alerts.yaml'), readProjectFile(RULES));
    expect(promtool('check', 'config', file)).toContain('SUCCESS');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('a Prometheus that scrapes a router under load', () => {
  // Long enough for all that the load brings to pass while it is in the window.
  const expressions = observedExpressions('20s');
  const data = new Map<string, readonly Series[]>();
  let fleet: Fleet | null = null;
  let prometheus: Prometheus | null = null;

  beforeAll(async () => {
    fleet = await startObservedFleet();
    prometheus = await startPrometheus({ 'vllm-router': [fleet.url], engines: fleet.engines });
    const end = performance.now() + 60_000;
    while (performance.now() < end) {
      for (const { expression } of expressions) {
        if (data.has(expression)) continue;
        const series = await prometheus.query(expression);
        if (series.length > 0) data.set(expression, series);
      }
      if (expressions.every(({ expression }) => data.has(expression))) break;
      await pause(500);
    }
  });
  afterAll(async () => {
    await fleet?.stop();
    await prometheus?.stop();
  });

  it.each(expressions)('has data for $source: $name', ({ expression }) => {
    const found = (data.get(expression)?.length ?? 0) > 0;
    expect({ expression, found }).toEqual({ expression, found: true });
  });

  it('reads all that the router writes', async () => {
    const router = (await prometheus?.targets())?.[0];
    expect(router).toMatchObject({ health: 'up', lastError: '' });
  });

  it('fills in what alerts say', async () => {
    const alerts = (await prometheus?.alerts()) ?? [];
    expect(alerts.length).toBeGreaterThan(0);
    const said = alerts.flatMap(({ annotations }) => Object.values(annotations));
    expect(said.filter((text) => /error expanding|<no value>/.test(text))).toEqual([]);
  });
});
