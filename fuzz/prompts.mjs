import fc from 'fast-check';
import { hashText } from '../dist/core/hash.js';
import { MOST_BLOCKS } from '../dist/core/prefix/block-names.js';
import { readPrompt } from '../dist/core/prefix/read-prompt.js';
import { jsonWith, anyText, must } from './texts.mjs';

const KEYS = [
  'messages',
  'prompt',
  'input',
  'system',
  'tools',
  'cache_salt',
  'query',
  'role',
  'content',
  'type',
  'text',
  'image_url',
  'url',
  'name',
  'function',
  'tool_calls',
  'arguments',
];
const message = fc.record(
  {
    role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
    content: fc.oneof(
      anyText(600),
      fc.array(fc.record({ type: fc.constantFrom('text', 'image_url', 'input_text'), text: anyText(100) })),
      jsonWith(KEYS, 3),
    ),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  jsonWith(KEYS, 5),
  fc.record(
    { messages: fc.array(message, { maxLength: 6 }), tools: jsonWith(KEYS, 3) },
    { requiredKeys: ['messages'] },
  ),
  fc.record({
    prompt: fc.oneof(anyText(2_000), fc.array(fc.integer({ min: -1, max: 2 ** 33 })), fc.array(anyText(50))),
  }),
);
const shape = fc.constantFrom('chat', 'completions', 'responses', 'messages', 'other');

const namesOf = (read) => (read === null ? null : JSON.stringify([...read.blocks.names]));

export function prompts() {
  const key = hashText('fuzz');
  const property = fc.property(shape, body, (api, asked) => {
    const first = readPrompt(api, asked, 'm', key);
    const names = namesOf(first);
    must(first === null || first.blocks.names.length <= 2 * MOST_BLOCKS, 'more blocks than there may be');
    // The parsed body that a client sends has the same blocks, now and after another prompt was read.
    readPrompt('chat', { messages: [{ role: 'user', content: 'between' }] }, 'm', key);
    must(
      namesOf(readPrompt(api, JSON.parse(JSON.stringify(asked)), 'm', key)) === names,
      'the same prompt has other blocks',
    );
  });
  return { property };
}
