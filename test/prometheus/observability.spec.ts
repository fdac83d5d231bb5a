import { setTimeout as pause } from 'node:timers/promises';
import { readProjectFile } from '../support/project-files.js';
import { type Prometheus, promtool, type Series, startPrometheus } from './support/prometheus.js';

interface Expression {
  readonly source: string;
  readonly name: string;
  readonly expression: string;
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
const JOB = 'vllm-router';
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

describe('a Prometheus that scrapes a router under load', () => {
  // Long enough for all that the load brings to pass while it is in the window.
  const expressions = observedExpressions('20s');
  const data = new Map<string, readonly Series[]>();
  let fleet: Fleet | null = null;
  let prometheus: Prometheus | null = null;

  beforeAll(async () => {
    fleet = await startObservedFleet();
    prometheus = await startPrometheus({ [JOB]: [fleet.url], engines: fleet.engines });
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
    const targets = (await prometheus?.targets()) ?? [];
    expect(targets.find(({ labels }) => labels['job'] === JOB)).toMatchObject({
      health: 'up',
      lastError: '',
    });
  });

  it('fills in what alerts say', async () => {
    const alerts = (await prometheus?.alerts()) ?? [];
    expect(alerts.length).toBeGreaterThan(0);
    const said = alerts.flatMap(({ annotations }) => Object.values(annotations));
    expect(said.filter((text) => /error expanding|<no value>/.test(text))).toEqual([]);
  });
});
