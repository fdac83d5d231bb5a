// Sends the requests of a simulation to a real address at their times, streamed and as token ids, so that both see the
// same prompts.
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './load-client.mjs';

/**
 * Replays arrivals; resolves at the end of the last answer with the times of each request, in seconds since the start.
 * Throws when an answer is not a whole stream.
 */
export async function replay(url, model, arrivals) {
  const client = new LoadClient(url);
  const start = performance.now();
  const now = () => (performance.now() - start) / 1e3;
  const sent = [];
  for (const { arrival, spec } of arrivals) {
    const wait = arrival * 1e3 - (performance.now() - start);
    if (wait > 0) await sleep(wait);
    const body = JSON.stringify({
      ...{ model, stream: true, max_tokens: spec.maxTokens },
      prompt: [...spec.promptTokens],
    });
    const times = { arrival: now(), firstToken: 0, lastToken: 0, tokens: spec.maxTokens };
    const onBody = (bytes) => {
      if (bytes.indexOf('"text"') < 0) return;
      times.lastToken = now();
      if (times.firstToken === 0) times.firstToken = times.lastToken;
    };
    const { answer } = client.request({ path: '/v1/completions', body, onBody });
    sent.push(
      answer.then(({ status }) => {
        if (status !== 200 || times.firstToken === 0) throw new Error(`an answer without tokens: ${status}`);
        return times;
      }),
    );
  }
  return Promise.all(sent);
}
