import { ReceivedFacts } from '../../../src/proxy/received-facts.js';
import { RequestBody } from '../../../src/proxy/request-body.js';

const facts = (text: string, json = true): [ReceivedFacts, RequestBody] => {
  const body = new RequestBody(null, null);
  for (let at = 0; at < text.length; at += 5) body.add(Buffer.from(text.slice(at, at + 5)));
  const read = { model: 'm', stream: true, session: null, json };
  return [new ReceivedFacts('id', '/v1/completions', 'completions', 'm', read, 's', body), body];
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
