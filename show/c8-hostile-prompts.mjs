// C8: prompts that are made to slow a decision down. For each: reading the prompt, looking it up for 64 engines, taking it
// into the index; the longest of some runs, in processor time, JSON.parse not included. The code is compiled before.
// The keys of an object cannot be read in part: an object of very many keys takes its time, which is measured by that
// of the JSON.parse before it.
import { join } from 'node:path';
import process from 'node:process';
import { Figures, percentile } from './figures.mjs';
import { ROOT } from './processes.mjs';

const WARM_RUNS = 15;
const RUNS = 15;
const MOST_MS = 5;
const MIB = 2 ** 20;
const KEY = { high: 0x51ed270b, low: 0x2545f491 };

const times = (count, of) => Array.from({ length: count }, (_, at) => of(at));
const user = (content) => ({ messages: [{ role: 'user', content }] });
const nested = (depth, open, close) => JSON.parse(open.repeat(depth) + '1' + close.repeat(depth));

/** API, what it is, and the body. */
const PROMPTS = [
  ['chat', '1 MB of one byte', user('a'.repeat(MIB))],
  ['chat', '1 MB of one character of three bytes', user('\u6f22'.repeat(MIB))],
  ['chat', '1 MB of halves of surrogate pairs', user('\ud83d'.repeat(MIB))],
  ['completions', '1 MB of one byte, as a prompt', { prompt: 'a'.repeat(MIB) }],
  ['completions', '100,000 texts', { prompt: times(100_000, String) }],
  ['completions', '500,000 token ids', { prompt: times(500_000, (at) => at) }],
  ['completions', '100,000 lists of ids', { prompt: times(100_000, (at) => [at]) }],
  ['completions', 'token ids that are none', { prompt: [1, 'a', null, {}] }],
  ['completions', 'empty', { prompt: '' }],
  ['completions', 'an empty list', { prompt: [] }],
  ['completions', 'lists 10,000 deep', { prompt: nested(10_000, '[', ']') }],
  ['chat', 'content 10,000 deep', user(nested(10_000, '[', ']'))],
  ['chat', 'objects 10,000 deep as tools', { ...user('x'), tools: nested(10_000, '{"a":', '}') }],
  ['chat', '30,000 messages', { messages: times(30_000, () => ({ role: 'user', content: 'a' })) }],
  ['chat', '100,000 messages that are none', { messages: times(100_000, () => null) }],
  ['chat', '40,000 parts of a message', user(times(40_000, () => ({ type: 'text', text: 'a' })))],
  ['chat', '20,000 images', user(times(20_000, () => ({ type: 'image_url', image_url: { url: 'x' } })))],
  ['chat', 'an image of 1 MB', user([{ type: 'image_url', image_url: { url: `data:${'a'.repeat(MIB)}` } }])],
  [
    'chat',
    'many images of 300 KB',
    user(times(200, () => ({ type: 'image_url', image_url: { url: `data:${'a'.repeat(300_000)}` } }))),
  ],
  ['chat', 'roles of 1 MB', { messages: [{ role: 'a'.repeat(MIB), name: 'b'.repeat(MIB), content: 5 }] }],
  ['chat', 'a cache salt of 1 MB', { ...user('x'), cache_salt: 'a'.repeat(MIB) }],
];

export async function show() {
  const load = async (file) => import(join(ROOT, 'dist', 'core', 'prefix', file));
  const { PrefixIndex } = await load('prefix-index.js');
  const { readPrompt, extendPrompt } = await load('read-prompt.js');
  const index = new PrefixIndex({ maxBytes: 64 * MIB });
  const slots = times(64, (engine) => index.slotOf(`http://engine-${engine}:8000`));
  const depths = new Uint32Array(slots.length);
  const decide = (shape, body) => {
    const read = readPrompt(shape, body, 'm', KEY);
    if (read === null) return;
    index.match(read.blocks.names, slots, depths);
    index.insert(slots[0], read.blocks.names);
    extendPrompt(read, 'an answer');
  };
  const cpuOf = (work) => {
    const before = process.cpuUsage();
    work();
    const { user: own, system } = process.cpuUsage(before);
    return (own + system) / 1e3;
  };
  const figures = new Figures();
  for (let run = 0; run < WARM_RUNS; run++) for (const [shape, , body] of PROMPTS) decide(shape, body);
  for (const [shape, name, body] of PROMPTS) {
    const took = times(RUNS, () => cpuOf(() => decide(shape, body)));
    figures.below(name, Math.max(...took), MOST_MS, 'ms');
  }
  const text = JSON.stringify({
    ...user('x'),
    tools: Object.fromEntries(times(90_000, (at) => [`k${at}`, 1])),
  });
  const ratios = times(RUNS, () => {
    let body;
    const parsed = cpuOf(() => (body = JSON.parse(text)));
    return cpuOf(() => decide('chat', body)) / parsed;
  });
  figures.below('tools with 90,000 keys, over their JSON.parse', percentile(ratios, 0.5), 1, 'times');
  return figures;
}
