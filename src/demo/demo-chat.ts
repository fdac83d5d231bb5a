import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '../simulator/http/simulated-text.js';

const QUESTION =
  'You see the demo of a router in front of two engines that answer in turn. What am I looking at?';

/** How long the router may take until it serves the demo's model. */
const SERVED_WITHIN_MS = 15_000;
const POLL_MS = 50;

const chatBody = (model: string): string =>
  JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: QUESTION }] });

/** The streamed chat as a line for a shell. */
export const chatCommand = (url: string, model: string): string =>
  `curl -N ${url}/v1/chat/completions -H 'content-type: application/json' -d '${chatBody(model)}'`;

/** Resolves once the router lists the model. Throws when that takes too long. */
export async function waitUntilServed(url: string, model: string): Promise<void> {
  const deadline = performance.now() + SERVED_WITHIN_MS;
  while (performance.now() < deadline) {
    const list: unknown = await fetch(`${url}/v1/models`)
      .then(async (response) => response.json())
      .catch(() => null);
    const cards: unknown[] = isObject(list) && Array.isArray(list.data) ? list.data : [];
    if (cards.some((card) => isObject(card) && card.id === model)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`the router at ${url} does not serve ${model} after ${SERVED_WITHIN_MS / 1000} s`);
}

/** Sends one streamed chat and prints its text as it arrives. Throws when the answer is not a whole stream. */
export async function streamChat(
  url: string,
  model: string,
  print: (text: string) => void,
): Promise<{ tokens: number; firstAfterMs: number }> {
  const start = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatBody(model),
  });
  if (!response.ok || response.body === null) {
    throw new Error(`the router answered ${response.status}: ${await response.text()}`);
  }
  let tokens = 0;
  let firstAfterMs = 0;
  let pending = '';
  const decoder = new TextDecoder();
  for await (const part of response.body) {
    const frames = (pending + decoder.decode(part, { stream: true })).split('\n\n');
    pending = frames.pop() ?? '';
    for (const frame of frames) {
      if (frame === 'data: [DONE]') return { tokens, firstAfterMs };
      const text = deltaOf(frame);
      if (text === '') continue;
      if (tokens === 0) firstAfterMs = performance.now() - start;
      tokens += 1;
      print(text);
    }
  }
  throw new Error('the stream ended without [DONE]');
}

/** What an engine's metrics tell of its prefix cache: `16 of 40`. */
export async function prefixHits(engine: string): Promise<string> {
  const metrics = await (await fetch(`${engine}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^vllm:prefix_cache_${name}_total\\{[^}]*\\} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
  return `${value('hits')} of ${value('queries')}`;
}

function deltaOf(frame: string): string {
  if (!frame.startsWith('data: ')) return '';
  const chunk: unknown = JSON.parse(frame.slice(6));
  if (isObject(chunk) && isObject(chunk.error)) throw new Error(`the stream failed: ${frame.slice(6)}`);
  const choices: unknown[] = isObject(chunk) && Array.isArray(chunk.choices) ? chunk.choices : [];
  const [first] = choices;
  const content = isObject(first) && isObject(first.delta) ? first.delta.content : '';
  return typeof content === 'string' ? content : '';
}
