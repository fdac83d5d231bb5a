import { parse } from 'yaml';
import { isUsable, STATES } from '../../../src/core/health/health-state.js';
import { projectFiles, readProjectFile } from '../../support/project-files.js';

const FOLDER = 'k8s/observability';
const read = (name: string) => parse(readProjectFile(`${FOLDER}/${name}`));

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Place;
  readonly datasource?: unknown;
  readonly targets?: readonly { readonly datasource: unknown; readonly expr: string }[];
}

const dashboard = JSON.parse(readProjectFile(`${FOLDER}/grafana-dashboard.json`)) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};
const shown = dashboard.panels.filter(({ type }) => type !== 'row');

/** All that a router and an engine write under the prefixes of this project and of vLLM. */
const documented = new Set(
  [...readProjectFile('docs/metrics.md').matchAll(/^\| `([a-z_:]+)` \|/gm)].map(([, name = '']) => name),
);

describe('the dashboard', () => {
  it('asks the data source that its user has chosen', () => {
    const chosen = { type: 'prometheus', uid: '${datasource}' };
    for (const { datasource, targets = [] } of shown) {
      expect(datasource).toEqual(chosen);
      for (const target of targets) expect(target.datasource).toEqual(chosen);
    }
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
  });

  it('shows each panel in a place of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const meet = (a: Place, b: Place): boolean =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    const overlaps = dashboard.panels.flatMap((panel, index) =>
      dashboard.panels
        .slice(index + 1)
        .filter(({ gridPos }) => meet(panel.gridPos, gridPos))
        .map(({ title }) => `${panel.title} and ${title}`),
    );
    expect(overlaps).toEqual([]);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it('uses variables that it has', () => {
    const known = new Set(dashboard.templating.list.map(({ name }) => name));
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });

  it('shows every metric of our own', () => {
    const text = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
    const own = [...documented].filter((name) => name.startsWith('vllm_router_'));
    expect(own.filter((name) => !new RegExp(`\\b${name}(_bucket)?\\b`).test(text))).toEqual([]);
  });
});

describe('the state of an engine on the dashboard', () => {
  const expressionOf = (title: string): string =>
    shown
      .find((panel) => panel.title === title)
      ?.targets?.map(({ expr }) => expr)
      .join('\n') ?? '';
  const statesIn = (expression: string): string[] =>
    [...expression.matchAll(/state=~?"([a-z|]+)"/g)].flatMap(([, names = '']) => names.split('|'));

  it('is each that there is', () => {
    expect(statesIn(expressionOf('State'))).toEqual(expect.arrayContaining([...STATES]));
  });

  it('is in use or out, as the router takes it', () => {
    const usable = STATES.filter(isUsable);
    expect(statesIn(expressionOf('Engines in use'))).toEqual(usable);
    const others = STATES.filter((state) => !isUsable(state));
    expect(statesIn(expressionOf('Engines out'))).toEqual(expect.arrayContaining(others));
  });
});

describe('what is in the folder', () => {
  it('names metrics that exist', () => {
    const named = projectFiles(FOLDER)
      .flatMap((path) => [...readProjectFile(path).matchAll(/\b(?:vllm:|vllm_router_)[a-z_]*[a-z]\b/g)])
      .map(([name]) => name.replace(/_bucket$/, ''));
    expect(new Set(named.filter((name) => !documented.has(name)))).toEqual(new Set());
    expect(named.length).toBeGreaterThan(100);
  });

  it('has the same alerts for the operator as for a Prometheus of its own', () => {
    expect(read('prometheusrule.yaml').spec.groups).toEqual(read('alerts.yaml').groups);
  });

  it('watches the port of the Service', () => {
    const { metadata, spec } = parse(readProjectFile('k8s/base/service.yaml'));
    const [pairs] = parse(readProjectFile('k8s/base/kustomization.yaml')).labels;
    const { selector, jobLabel, endpoints } = read('servicemonitor.yaml').spec;
    expect({ ...pairs.pairs, ...metadata.labels }).toMatchObject(selector.matchLabels);
    expect(Object.keys(selector.matchLabels)).toContain(jobLabel);
    expect(spec.ports.map(({ name }: { name: string }) => name)).toContain(endpoints[0].port);
  });
});

describe('each alert', () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string; readonly description: string };
  }
  const rules = (read('alerts.yaml').groups as { rules: Rule[] }[]).flatMap((group) => group.rules);
  const headings = new Set(
    [...readProjectFile('docs/observability.md').matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name),
  );

  it.each(rules)('$alert says how bad it is, what is wrong and where', (rule) => {
    expect(['critical', 'warning']).toContain(rule.labels.severity);
    expect(rule.annotations.summary).not.toBe('');
    const [, by = ''] = /\bby \(([^)]*)\)/.exec(rule.expr) ?? [];
    const named = [...rule.annotations.description.matchAll(/\$labels\.(\w+)/g)].map(([, name = '']) => name);
    expect(by.split(', ')).toEqual(expect.arrayContaining(named));
  });

  it.each(rules)('$alert has a paragraph in docs/observability.md', ({ alert }) => {
    expect(headings).toContain(alert);
  });
});
