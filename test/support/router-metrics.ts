import { until } from './until.js';

/** The sum of all samples of a metric whose labels hold `labels`; 0 when there are none. */
export async function metric(url: string, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Resolves when the router counts no request in flight and holds no body. */
export async function whenNothingIsHeld(url: string): Promise<void> {
  for (const name of [
    'vllm_router_requests_in_flight',
    'vllm:num_requests_running',
    'vllm_router_body_memory_bytes',
  ]) {
    await until(async () => (await metric(url, name)) === 0);
  }
}
