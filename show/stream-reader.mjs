// Reads many streams of light engines at once, as a process of its own so that nothing else delays its clock. Told
// by a message {url, model, streams, tokens}: answers when all streams have begun; told again: at their end, with the
// lag of every chunk: microseconds between the engine's write and the read here.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMicros } from './clock.mjs';
import { LoadClient } from './load-client.mjs';

const MARK = Buffer.from('"content":"@');
/** Length of the text in the mark: "@000000:0000000000000000". */
const TEXT = 24;
/** Streams begin one by one, not in one blow. */
const STAGGER_MS = 3;

process.once('message', async ({ url, model, streams, tokens }) => {
  const client = new LoadClient(url);
  const at = new Float64Array(streams * tokens);
  const lag = new Float64Array(streams * tokens);
  let count = 0;
  let firstEnd = Infinity;
  const problems = [];

  const readOne = (number) => {
    let next = 0;
    let tail = Buffer.alloc(0);
    let ending = '';
    let begun;
    const hasBegun = new Promise((resolve) => (begun = resolve));
    const onBody = (bytes) => {
      const now = nowMicros();
      const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
      let from = 0;
      for (;;) {
        const mark = all.indexOf(MARK, from);
        const text = mark + MARK.length - 1;
        if (mark < 0 || text + TEXT > all.length) break;
        const [index, sentAt] = all
          .latin1Slice(text + 1, text + TEXT)
          .split(':')
          .map(Number);
        if (index !== next) problems.push(`stream ${number}: chunk ${index} instead of ${next}`);
        next += 1;
        if (count < at.length) {
          at[count] = sentAt;
          lag[count] = now - sentAt;
          count += 1;
        }
        from = text + TEXT;
      }
      if (next > 0) begun();
      // Only what may hold the beginning of a mark waits for more.
      tail = Buffer.from(all.subarray(Math.max(from, all.length - MARK.length - TEXT)));
      if (next === tokens) ending = (ending + all.latin1Slice(Math.max(0, all.length - 32))).slice(-64);
    };
    const body = JSON.stringify({
      model,
      stream: true,
      max_tokens: tokens,
      messages: [{ role: 'user', content: 'go' }],
    });
    const end = client.request({ path: '/v1/chat/completions', body, onBody }).answer.then(
      ({ status }) => {
        firstEnd = Math.min(firstEnd, nowMicros());
        const complete = status === 200 && next === tokens && ending.endsWith('data: [DONE]\n\n');
        if (!complete) problems.push(`stream ${number}: status ${status}, ${next} of ${tokens} chunks`);
        return complete;
      },
      (error) => {
        problems.push(`stream ${number}: ${error.message} (${next} of ${tokens} chunks)`);
        begun();
        return false;
      },
    );
    return { hasBegun, end };
  };

  const all = [];
  for (let number = 0; number < streams; number += 1) {
    all.push(readOne(number));
    await sleep(STAGGER_MS);
  }
  await Promise.all(all.map(({ hasBegun }) => hasBegun));
  const told = new Promise((resolve) => process.once('message', resolve));
  process.send('begun');
  const complete = (await Promise.all(all.map(({ end }) => end))).filter(Boolean).length;
  const result = { complete, problems, firstEnd, at: at.slice(0, count), lag: lag.slice(0, count) };
  await told;
  process.send(result, () => process.disconnect());
});
