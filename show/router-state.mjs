// Reads what a router says of itself: /health and the samples of /metrics.

export async function health(router) {
  return (await fetch(`${router.url}/health`)).json();
}

/** The samples of /metrics: value by series, e.g. `vllm_router_requests_in_flight{engine="...",phase="prefill"}`. */
export async function metrics(router) {
  const text = await (await fetch(`${router.url}/metrics`)).text();
  const samples = new Map();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** The sum of a metric's series that hold `part` in their labels. */
export function sumOf(samples, name, part = '') {
  let sum = 0;
  for (const [series, value] of samples) {
    if ((series === name || series.startsWith(`${name}{`)) && series.includes(part)) sum += value;
  }
  return sum;
}

/** Everything in /metrics that says how many requests are under way. */
export const IN_FLIGHT_GAUGES = [
  'vllm_router_requests_in_flight',
  'vllm:num_requests_running',
  'vllm:num_prefill_requests',
  'vllm:num_decoding_requests',
];
