import { ReceivedFacts } from '../../../src/proxy/received-facts.js';
import { RequestBody } from '../../../src/proxy/request-body.js';

const key = { high: 1, low: 2 };

const facts = (text: string, json = true): [ReceivedFacts, RequestBody] => {
  const body = new RequestBody(null, null);
  for (let at = 0; at < text.length; at += 5) body.add(Buffer.from(text.slice(at, at + 5)));
  const read = { model: 'm', stream: true, session: null, json };
  return [new ReceivedFacts('id', '/v1/completions', 'completions', 'm', read, 's', body, key), body];
};

describe('the body among the facts of a request', () => {
  it('is parsed once for all who ask', () => {
    const [frozen] = facts('{"model":"m","n":["é"]}');
    Object.freeze(frozen);
    expect(frozen.body).toEqual({ model: 'm', n: ['é'] });
    expect(frozen.body).toBe(frozen.body);
  });

  it('stays with those who asked before the bytes went, and is absent for others', () => {
    const [asked, bytes] = facts('{"model":"m"}');
    const first = asked.body;
    bytes.release();
    expect(asked.body).toBe(first);
    const [late, gone] = facts('{"model":"m"}');
    gone.release();
    expect(late.body).toBeUndefined();
  });

  it('is absent when the body is no JSON object', () => {
    expect(facts('{"model":"m"}', false)[0].body).toBeUndefined();
  });
});

describe('the prompt among the facts of a request', () => {
  const text = JSON.stringify({ model: 'm', prompt: 'word '.repeat(200) });

  it('is read once, and stays when the bytes are gone', () => {
    const [asked, bytes] = facts(text);
    const blocks = asked.prompt?.blocks();
    expect(blocks?.names.length).toBeGreaterThan(2);
    bytes.release();
    expect(asked.prompt?.blocks()).toBe(blocks);
    expect(asked.prompt?.withAnswer('word '.repeat(100))?.names.length).toBeGreaterThan(
      blocks?.names.length ?? 0,
    );
  });

  it('is the same from the object, when somebody has asked for that', () => {
    const [alone] = facts(text);
    const [after] = facts(text);
    expect(after.body).toBeDefined();
    expect(after.prompt?.blocks()).toEqual(alone.prompt?.blocks());
  });

  it('is what the other thread has read of a large body', () => {
    const [alone] = facts(text);
    const prompt = { blocks: alone.prompt?.blocks(), tail: null };
    const read = { model: 'm', stream: true, session: null, json: false, prompt: prompt as never };
    const there = new ReceivedFacts('id', '/', 'other', 'm', read, null, RequestBody.empty, key);
    expect(there.prompt?.blocks()).toBe(prompt.blocks);
  });

  it('is none where the bytes went before anybody asked, or are no object', () => {
    const [late, gone] = facts(text);
    gone.release();
    expect(late.prompt?.blocks() ?? null).toBeNull();
    expect(facts(text, false)[0].prompt).toBeUndefined();
  });
});
