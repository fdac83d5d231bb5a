import { reasonOf } from '../../../src/config/settings-error.js';
import { load } from './load.js';

describe('the reason of an error', () => {
  it('is one line of bounded length, whatever ends lines in it', () => {
    expect(reasonOf(new Error('one\ntwo'))).toBe('one');
    expect(reasonOf(new Error('a\rb\u2028c\u2029d\u0085e\x1b[31m'))).toBe('a?b?c?d?e?[31m');
    expect(reasonOf(new Error('x'.repeat(1_000)))).toHaveLength(300);
  });

  it('is one line where the parser of JSON shows what it found', () => {
    expect(() => load({ argv: ['--config', 'file.json'], files: { 'file.json': '\u2028x' } })).toThrow(
      /^config file "file\.json": not valid JSON: [^\u2028]*$/,
    );
  });
});
