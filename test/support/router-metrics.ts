import { until } from './until.js';

const textOf = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
  (await fetch(`${url}/metrics`, { headers })).text();

function sumIn(text: string, name: string, labels: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !line.includes(labels)) continue;
    if (line[name.length] === '{' || line[name.length] === ' ')
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

/** The sum of all samples of a metric whose labels hold `labels`; 0 when there are none. */
export async function metric(
  url: string,
  name: string,
  labels = '',
  headers: Record<string, string> = {},
): Promise<number> {
  return sumIn(await textOf(url, headers), name, labels);
}

/** Resolves when the router counts no request in flight and holds no body. */
export async function whenNothingIsHeld(url: string): Promise<void> {
  const held = [
    'vllm_router_requests_in_flight',
    'vllm:num_requests_running',
    'vllm_router_body_memory_bytes',
  ];
  await until(async () => {
    const text = await textOf(url);
    return held.every((name) => sumIn(text, name, '') === 0);
  });
}
