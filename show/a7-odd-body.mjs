// A7: a 25 MB JSON body with odd spacing, duplicate keys, 20-digit integers and non-ASCII text must reach the engine
// with the same SHA-256, and the same bytes as an answer must come back the same way: with a content-length and
// chunked, in both directions.
//   --megabytes 25
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startLightEngine, startRouter, staticFleet } from './processes.mjs';

const MODEL = 'light';

const ODD = [
  '\t{ "role"\r\n:\t"user" ,"role":"user","content" : "Grüße, 世界! 👩‍🚀 \\u0000\\ud83d\\ude00 \\/ e\u0301 \u2028" }',
  '{"n":12345678901234567890,"m":-99999999999999999999,"f":1.0E+2,"z":-0,"g":0.1000000000000000055511151231257827}',
  '   {\n"a":\u0020[ ]\t, "a" :{ } ,"a": null,"\\u0061":true   }   ',
  '{"__proto__":{"x":1},"constructor":20000000000000000001,"tail":"ÿ\u00a0\u3000\ufeff"}',
];

/** JSON that a parser and a serialiser would change in every line; the last of its `model` keys counts. */
function oddBody(bytes) {
  const parts = [`\r\n {"model" : "not-this-one",\t"seed":18446744073709551615 , "messages":[`];
  let length = 0;
  for (let n = 0; length < bytes; n += 1) {
    const part = `${n === 0 ? '' : ' ,\n'}${ODD[n % ODD.length]}`;
    parts.push(part);
    length += Buffer.byteLength(part);
  }
  parts.push(` ] , "stream":false,\n\n"model":\t"${MODEL}" }\r\n\t `);
  return Buffer.from(parts.join(''));
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export async function show(args) {
  const { values } = parseArgs({ args, options: { megabytes: { type: 'string', default: '25' } } });
  const figures = new Figures();
  const body = oddBody(Number(values.megabytes) * 1e6);
  const sent = sha256(body);
  figures.note('body', `${body.length} bytes, SHA-256 ${sent.slice(0, 16)}...`);
  figures.check('parsed and written again it differs', 'yes', 'yes', reserialised(body) !== sent);

  const engine = await startLightEngine(['--model', MODEL]);
  const flags = [...staticFleet([engine.url], MODEL), '--routing-logic', 'roundrobin'];
  const router = await startRouter(flags);
  const client = new LoadClient(router.url);
  for (const upload of ['length', 'chunked']) {
    for (const echo of ['length', 'chunked']) {
      const answer = await client.request({
        path: '/v1/chat/completions',
        headers: { 'content-type': 'application/json', 'x-light-echo': echo },
        body,
        chunked: upload === 'chunked',
      }).answer;
      const there = answer.headers.get('x-body-sha256');
      const back = sha256(answer.body);
      const way = `${upload} up, ${echo} down`;
      figures.equal(`${way}: status`, answer.status, 200);
      figures.check(
        `${way}: at the engine`,
        `${there?.slice(0, 16)}...`,
        `${sent.slice(0, 16)}...`,
        there === sent,
      );
      figures.check(`${way}: back here`, `${back.slice(0, 16)}...`, `${sent.slice(0, 16)}...`, back === sent);
      figures.note(`${way}: took`, `${answer.ms.toFixed(0)} ms`);
    }
  }
  for (const running of [router, engine]) await running.stop();
  return figures;
}

/** What a router that parses and writes the body again would send. */
const reserialised = (body) => sha256(Buffer.from(JSON.stringify(JSON.parse(body.toString()))));
