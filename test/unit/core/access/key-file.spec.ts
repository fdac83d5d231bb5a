import { readEngineKeyFile } from '../../../../src/core/access/engine-key-file.js';
import { MOST_KEYS, readKeyFile } from '../../../../src/core/access/key-file.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const C = 'c'.repeat(64);

describe('a file of client keys', () => {
  it('is read as lines, with comments and several keys for a name', () => {
    const text = `# team a\r\n team-a:${A}\n\nteam-a:${B.toUpperCase()}\nteam/b@x:${C}\n`;
    expect(readKeyFile(text)).toEqual([
      { name: 'team-a', hash: A },
      { name: 'team-a', hash: B },
      { name: 'team/b@x', hash: C },
    ]);
  });

  it('is read as JSON', () => {
    expect(readKeyFile(JSON.stringify({ a: A, b: [B, C] }))).toEqual([
      { name: 'a', hash: A },
      { name: 'b', hash: B },
      { name: 'b', hash: C },
    ]);
  });

  const wrong: readonly [how: string, text: string, told: RegExp][] = [
    ['is empty', '', /no key/],
    ['holds comments alone', '# a\n', /no key/],
    ['holds an empty mapping', '{}', /no key/],
    ['holds a key in clear text', `a:${A}\nteam:sk-secret`, /^line 2 has no SHA-256/],
    ['holds a line without a name', A, /^line 1 has no name/],
    ['holds a name of other characters', `a b:${A}`, /^line 1 has no name/],
    ['holds a long name', `${'n'.repeat(65)}:${A}`, /^line 1 has no name/],
    ['holds one key for two names', `a:${A}\nb:${A}`, /the key of b is one of a/],
    ['is a list', `["${A}"]`, /no mapping/],
    ['is broken JSON', `{"a":"sk-secret`, /not valid JSON/],
    ['holds a nested mapping', `{"a":{"b":"${A}"}}`, /^entry 1 has no SHA-256/],
    ['names a prototype', `{"__proto__":"${A}"}`, /^entry 1 has no name/],
    [
      'holds too many keys',
      Array.from({ length: MOST_KEYS + 1 }, (_, n) => `a:${n.toString(16).padStart(64, '0')}`).join('\n'),
      /more than 1000 keys/,
    ],
  ];
  it.each(wrong)('that %s is refused, and what stands there is not told', (_how, text, told) => {
    expect(() => readKeyFile(text)).toThrow(told);
    expect(() => readKeyFile(text)).not.toThrow(/sk-secret/);
  });
});

describe('a file of engine keys', () => {
  it('is read as lines of a base URL and a key', () => {
    const text = '# all\n* usual\nhttp://a:8000/ one\nhttps://b/prefix\ttwo\n';
    expect([...readEngineKeyFile(text)]).toEqual([
      ['*', 'usual'],
      ['http://a:8000', 'one'],
      ['https://b/prefix', 'two'],
    ]);
  });

  const wrong: readonly [how: string, text: string, told: RegExp][] = [
    ['is empty', '\n', /no key/],
    ['names no URL', 'sk-secret sk-secret', /^line 1 does not begin with/],
    ['names a URL with a user', 'http://u:p@a k', /^line 1 does not begin with/],
    ['names a file', 'file:///etc k', /^line 1 does not begin with/],
    ['holds no key', '\nhttp://a', /^line 2 has no key/],
    ['holds two keys in a line', 'http://a sk-secret more', /^line 1 has no key/],
    ['holds a key beyond ASCII', 'http://a s\u00e9cret', /^line 1 has no key/],
    ['holds two lines for an engine', 'http://a x\nhttp://a/ y', /^line 2 is for an engine/],
  ];
  it.each(wrong)('that %s is refused, and what stands there is not told', (_how, text, told) => {
    expect(() => readEngineKeyFile(text)).toThrow(told);
    expect(() => readEngineKeyFile(text)).not.toThrow(/sk-secret/);
  });
});
