const { compareJson, compareStream, eventData, withoutTimes } = require('../../../bench/comparison.mjs') as {
  compareJson(got: string, sent: string): string;
  compareStream(got: string, sent: string): string;
  eventData(text: string): string[];
  withoutTimes(text: string): string;
};

const event = (content: string): string => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;

describe("the benchmark's comparison of bodies", () => {
  it('tells equal bytes from equal JSON', () => {
    expect(compareJson('{"a":1.0}', '{"a":1.0}')).toBe('exact');
    expect(compareJson('{"b":2,"a":1}', '{"a":1.0,"b":2}')).toBe('same JSON, other bytes');
  });

  it('names what is lost, added and altered', () => {
    expect(compareJson('{"a":2,"new":1}', '{"a":1,"old":[1]}')).toBe('lost old; added new; altered a');
    expect(compareJson('{"a":[2,1]}', '{"a":[1,2]}')).toBe('altered a');
    expect(compareJson('<html>', '{}')).toBe('not JSON');
  });
});

describe("the benchmark's comparison of streams", () => {
  it('reads events as the standard says', () => {
    expect(eventData(': comment\n\ndata: a\ndata:b\r\n\r\nid: 1\n\ndata: [DONE]\n\n')).toEqual([
      'a\nb',
      '[DONE]',
    ]);
  });

  it('does not mind when chunks were written', () => {
    const [early, late] = ['00000000000000000001', '99999999999999999999'].map((time) => event(`@${time}`));
    expect(withoutTimes(early ?? '')).toBe(withoutTimes(late ?? ''));
  });

  it('says how far two streams agree', () => {
    const sent = event('one') + event('two');
    expect(compareStream(sent, sent)).toBe('exact');
    expect(compareStream(sent.replaceAll('\n', '\r\n'), sent)).toBe('same events, other bytes');
    expect(compareStream(sent.replaceAll(':[', ': ['), sent)).toBe('same JSON, other bytes');
    expect(compareStream(event('onetwo'), sent)).toBe('same text, 1 events for 2');
    expect(compareStream(event('one'), sent)).toBe('another text, 1 events for 2');
  });
});
