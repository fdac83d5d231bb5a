// Every PromQL expression that k8s/observability/ holds, and those of production-stack's dashboard that read a router.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from './processes.mjs';

const FOLDER = join(ROOT, 'k8s', 'observability');
const read = (name) => readFileSync(join(FOLDER, name), 'utf8');

/** The dashboard as Grafana loads it. */
export const dashboard = () => JSON.parse(read('grafana-dashboard.json'));

/** The groups of alert rules. */
export const alertGroups = () => parse(read('alerts.yaml')).groups;

/** What panels of production-stack's dashboard, and its scalers, ask of a router. */
const PRODUCTION_STACK = {
  'Available vLLM instances': 'sum(max by (server) (vllm:healthy_pods_total))',
  'Current QPS': 'vllm:current_qps',
  'Number of Running Requests': 'vllm:num_requests_running{server!=""}',
  'Number of Pending Requests': 'vllm:num_requests_waiting{server!=""}',
  'CPU Usage': 'router_cpu_usage_percent',
  'Memory Usage': 'router_memory_usage_percent',
  'Disk Usage': 'router_disk_usage_percent',
  'GPU KV Cache Hit Rate':
    'vllm:gpu_prefix_cache_hits_total{server!=""} / vllm:gpu_prefix_cache_queries_total{server!=""}',
  'Average Latency': 'vllm:avg_latency',
  'Average ITL': 'vllm:avg_itl',
  'Decoding Length': 'vllm:avg_decoding_length',
  'Prefill Requests': 'vllm:num_prefill_requests',
  'Decoding Requests': 'vllm:num_decoding_requests',
  'Swapped Requests': 'vllm:num_requests_swapped{server!=""}',
  'Incoming requests': 'sum by (model) (vllm:num_incoming_requests_total)',
  'Input tokens': 'sum by (server, model) (rate(vllm:input_tokens_total[1m]))',
  'Output tokens': 'sum by (server, model) (rate(vllm:output_tokens_total[1m]))',
  Errors: 'sum by (server, model, error_type) (rate(vllm:request_errors_total[1m]))',
  'Request latency':
    'histogram_quantile(0.95, sum by (le, server) (rate(vllm:request_latency_seconds_bucket{status="success"}[1m])))',
};

/** What panels of the same dashboard ask of the engines. */
const PRODUCTION_STACK_ENGINES = {
  'GPU KV Usage': 'vllm:kv_cache_usage_perc',
  'Request Latency':
    'rate(vllm:e2e_request_latency_seconds_sum[1m]) / rate(vllm:e2e_request_latency_seconds_count[1m])',
  'Request TTFT': 'histogram_quantile(0.9, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[1m])))',
  ITL: 'rate(vllm:request_time_per_output_token_seconds_sum[1m]) / rate(vllm:request_time_per_output_token_seconds_count[1m])',
};

/** An alert's expression without its comparison, which holds for what is well too; null when it has none. */
export function withoutComparison(expression) {
  const match = /^([\s\S]*?)\s*(?:==|!=|[<>]=?)\s*[\d.]+\s*$/.exec(expression);
  return match === null ? null : match[1];
}

/** What Grafana would send: each variable stands for all of its values. */
function filledIn(expression, window) {
  return expression
    .replaceAll('$__rate_interval', window)
    .replaceAll('$__range', window)
    .replace(/"\$\w+"/g, '".+"');
}

/** `{ source, name, expression }` of each panel's queries and of each variable's values. */
function ofDashboard(window) {
  const { panels, templating } = dashboard();
  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, refId }) => ({
      source: 'dashboard',
      name: targets.length > 1 ? `${title} (${refId})` : title,
      expression: filledIn(expr, window),
    })),
  );
  const values = templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, definition }) => {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition);
      const expression = `count by (${label}) (${filledIn(selector, window)})`;
      return { source: 'dashboard', name: `variable ${name}`, expression };
    });
  return [...values, ...queries];
}

function ofAlerts() {
  return alertGroups()
    .flatMap(({ rules }) => rules)
    .map(({ alert, expr }) => ({ source: 'alert', name: alert, expression: withoutComparison(expr) }))
    .filter(({ expression }) => expression !== null);
}

/** What scalers ask: KEDA's triggers, and the rules of the adapter that HPAs go by. */
function ofScalers() {
  const scaled = parseAllDocuments(read('keda.yaml')).map((document) => document.toJS());
  const triggers = scaled.flatMap(({ metadata, spec }) =>
    spec.triggers.map(({ metadata: { query } }, index) => ({
      source: 'KEDA',
      name: `${metadata.name}, trigger ${index + 1}`,
      expression: query,
    })),
  );
  const { external } = parse(read('prometheus-adapter-values.yaml')).rules;
  const rules = external.flatMap(({ seriesQuery, name, metricsQuery }) => [
    { source: 'adapter', name: `${name.as}: series`, expression: seriesQuery },
    {
      source: 'adapter',
      name: name.as,
      expression: metricsQuery
        .replaceAll('<<.Series>>', seriesQuery.replace(/\{.*/, ''))
        .replaceAll('<<.LabelMatchers>>', '')
        .replaceAll('<<.GroupBy>>', 'job'),
    },
  ]);
  return [...triggers, ...rules];
}

const ofProductionStack = (source, panels) =>
  Object.entries(panels).map(([name, expression]) => ({ source, name, expression }));

/** What shows 0 where nothing has happened must have data of its own here. */
const withoutDefault = ({ expression, ...rest }) => ({
  ...rest,
  expression: expression.replaceAll(' or vector(0)', ''),
});

/** All of them; `window` takes the place of Grafana's intervals. */
export function observedExpressions(window) {
  return [
    ...ofDashboard(window),
    ...ofAlerts(),
    ...ofScalers(),
    ...ofProductionStack('production-stack', PRODUCTION_STACK),
    ...ofProductionStack('production-stack, engines', PRODUCTION_STACK_ENGINES),
  ].map(withoutDefault);
}
