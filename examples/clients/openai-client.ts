// The openai package of npm against a router: models, an answer, a stream, embeddings, tools, and an error.
//
//   npm install openai tsx
//   npx tsx openai-client.ts                     against `npm run demo`
//   BASE_URL=https://llm.example.org/v1 API_KEY=… MODEL=llama npx tsx openai-client.ts
//
// Prints what comes, and exits with 1 when something is not as it should be.
import assert from 'node:assert/strict';
import process from 'node:process';
import OpenAI from 'openai';

const MODEL = process.env['MODEL'] ?? 'demo-small';

const client = new OpenAI({
  baseURL: process.env['BASE_URL'] ?? 'http://127.0.0.1:8001/v1',
  // The package wants a key; a router without --api-key-file hands it on to the engine, and an open engine asks for none.
  apiKey: process.env['API_KEY'] ?? 'none',
  // The router tries other engines by itself. What it refuses all the same the client tries again, after its Retry-After.
  maxRetries: 2,
});

// Of use with `--routing-logic session --session-key x-user-id`; prefixaware needs no header.
const session = { headers: { 'x-user-id': 'ada' } };
const hello = { model: MODEL, max_tokens: 16, messages: [{ role: 'user' as const, content: 'Hello' }] };

const names: string[] = [];
for await (const { id } of client.models.list()) names.push(id);
console.log('models:', names.join(', '));
assert.ok(names.includes(MODEL), `${MODEL} is not served`);

// withResponse gives the headers too: the id is the one in the router's log and traces.
const { data, response } = await client.chat.completions.create(hello, session).withResponse();
console.log(`answer ${response.headers.get('x-request-id')}:`, data.choices[0]?.message.content);
assert.ok((data.usage?.completion_tokens ?? 0) > 0);

// include_usage lets the router count tokens, and prefixaware learn how much of the prompt was cached.
const chunks = await client.chat.completions.create(
  { ...hello, stream: true, stream_options: { include_usage: true } },
  session,
);
let text = '';
for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? '';
console.log('stream:', text);
assert.notEqual(text, '');

const vectors = await client.embeddings.create({
  model: MODEL,
  input: ['one', 'two'],
  encoding_format: 'float',
});
console.log('embeddings:', vectors.data.length, 'of', vectors.data[0]?.embedding.length, 'numbers');
assert.equal(vectors.data.length, 2);

const called = await client.chat.completions.create({
  ...hello,
  tools: [
    {
      type: 'function',
      function: {
        name: 'weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ],
});
// The demo's engines have no model: they answer in words where a real one may call the tool.
const message = called.choices[0]?.message;
console.log('tools:', message?.tool_calls ?? message?.content);
assert.ok(message?.tool_calls ?? message?.content);

// A client that leaves closes its engine's connection: the engine stops computing.
const left = await client.chat.completions.create({ ...hello, stream: true }, session);
for await (const _ of left) break;

await assert.rejects(
  client.chat.completions.create({ ...hello, model: 'no-such-model' }),
  (error: unknown) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    console.log('error:', error.status, error.code, '-', error.message);
    return error.code === 'model_not_found';
  },
);
