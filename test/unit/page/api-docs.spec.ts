import { execFileSync } from 'node:child_process';
import { curlText, exampleBody, exampleParameters, targetOf } from '../../../page/api-docs/request-text.js';
import { schemaRows, typeText } from '../../../page/api-docs/schema-rows.js';
import { operationsOf, type ShownOperation } from '../../../page/api-docs/shown-api.js';
import { apiDocument } from '../../../src/api-docs/api-document.js';
import type { ApiFacts } from '../../../src/api-docs/documented-route.js';

const facts: ApiFacts = {
  ...{ version: '1', rootPath: '', port: 'only', asksForKeys: false, hasAdminKey: true, sessionKey: null },
  ...{ admits: false, explains: true, hasPage: false },
};
const document = apiDocument(facts, 1_000);
const operations = operationsOf(document);
const operation = (id: string): ShownOperation => operations.find((one) => one.id === id)!;
const BASE = 'http://router:8001/llm/';

/** The words that a shell gives to curl. */
function wordsOf(command: string): string[] {
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }; KEY=secret; ${command}`;
  return execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1);
}
const curlOf = (id: string, model: string | null = null): string => {
  const shown = operation(id);
  const parameters = exampleParameters(shown, model);
  return curlText(shown, BASE, { parameters, body: exampleBody(shown, model) });
};

describe('the command of an example', () => {
  it('sends JSON, and asks for the model that is chosen', () => {
    const [flag, url, , type, , body = ''] = wordsOf(curlOf('v1ChatCompletions', "it's / mine"));
    expect([flag, url, type]).toEqual(['-N', `${BASE}v1/chat/completions`, 'content-type: application/json']);
    expect(JSON.parse(body)).toMatchObject({ model: "it's / mine", max_tokens: 16 });
  });

  it('sends a form with a file', () => {
    expect(wordsOf(curlOf('v1AudioTranscriptions'))).toEqual([
      ...['-N', `${BASE}v1/audio/transcriptions`, '-F', 'model=openai/whisper-small', '-F', 'file=@FILE'],
    ]);
  });

  it('has a place for the key where one is asked for, and no key', () => {
    expect(curlOf('drainEngine')).toContain('"Authorization: Bearer $KEY"');
    expect(wordsOf(curlOf('reload'))).toEqual([
      ...['-X', 'POST', `${BASE}admin/reload`, '-H', 'Authorization: Bearer secret'],
    ]);
    expect(wordsOf(curlOf('health'))).toEqual([`${BASE}health`]);
  });

  it('puts values into the path and the query', () => {
    expect(wordsOf(curlOf('getModel', 'org/a b?'))).toEqual([`${BASE}v1/models/org/a%20b%3F`]);
    expect(targetOf(operation('lastDecisions'), { n: '3' })).toBe('debug/routing?n=3');
    expect(targetOf(operation('lastDecisions'), { n: '' })).toBe('debug/routing');
  });

  it('stays one command while its body is no JSON', () => {
    const shown = operation('v1Completions');
    const words = wordsOf(curlText(shown, BASE, { parameters: {}, body: "{'$(exit 1)" }));
    expect(words.at(-1)).toBe("{'$(exit 1)");
  });
});

describe('the fields of a schema', () => {
  it('are told with their place and their type', () => {
    const [json] = operation('v1ChatCompletions').answers[0]!.content;
    const rows = new Map(schemaRows(document, json![1].schema).map((row) => [row.path, row]));
    expect(rows.get('choices')).toMatchObject({ type: 'array of object', required: true });
    expect(rows.get('choices[].message.role')).toMatchObject({ type: 'string', required: true });
    expect(rows.get('choices[].finish_reason')?.type).toBe('string or null');
    expect(rows.get('usage.prompt_tokens')).toMatchObject({ type: 'integer, 0 or more', required: false });
  });

  it('are told of each shape that a body may have', () => {
    const error = operation('v1Messages').answers.find(({ status }) => status === '400')!;
    const rows = schemaRows(document, error.content[0]![1].schema);
    expect(rows.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['type', 'error.code', 'request_id']),
    );
  });

  it('say what a value may be', () => {
    expect(typeText(document, { enum: ['a', null] })).toBe('"a" or null');
    expect(typeText(document, { type: 'integer', minimum: 1, maximum: 9 })).toBe('integer, 1 to 9');
    expect(typeText(document, {})).toBe('anything');
  });
});
