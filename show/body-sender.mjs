// Sends large bodies at once, as a process of its own so that nothing else waits for it. Told by a message
// {url, model, count, bytes}: builds the body and answers 'ready'; told again: sends, and answers with the outcomes.
import { createHash } from 'node:crypto';
import process from 'node:process';
import { LoadClient } from './load-client.mjs';

/** A chat request of `bytes` bytes: messages of escaped text, with some that is not ASCII. */
function largeBody(model, bytes) {
  const line = 'A line of a long document, "quoted", with a \\ and a tab\t, Grüße und 世界.\n';
  const message = Buffer.from(`{"role":"user","content":${JSON.stringify(line.repeat(800))}},`);
  const head = Buffer.from(`{"model":"${model}","messages":[`);
  const tail = '{"role":"user","content":"Sum up."}]}';
  const count = Math.floor((bytes - head.length - tail.length) / message.length);
  const padding = bytes - head.length - count * message.length - tail.length;
  const messages = Array.from({ length: count }, () => message);
  return Buffer.concat([head, ...messages, Buffer.from(' '.repeat(padding) + tail)]);
}

process.once('message', ({ url, model, count, bytes }) => {
  const client = new LoadClient(url);
  const body = largeBody(model, bytes);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const send = async () => {
    const { answer } = client.request({ path: '/v1/chat/completions', body });
    try {
      const { status, body: text, ms } = await answer;
      const whole = status === 200 && text.includes(sha256);
      return { whole, ms, problem: whole ? null : `${status} ${text.toString().slice(0, 150)}` };
    } catch (error) {
      return { whole: false, ms: Infinity, problem: error.message };
    }
  };
  process.once('message', async () => {
    const outcomes = await Promise.all(Array.from({ length: count }, send));
    process.send(outcomes, () => process.disconnect());
  });
  process.send('ready');
});
