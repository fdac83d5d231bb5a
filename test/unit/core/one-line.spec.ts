import { inOneLine } from '../../../src/core/one-line.js';

it.each([
  ['plain text / of-a.model', 'plain text / of-a.model'],
  ['a\r\nb', 'a\\r\\nb'],
  ['a"b\\c', 'a\\"b\\\\c'],
  ['\u001b[31m', '\\u001b[31m'],
  ['a\u009b31m\u007f', 'a?31m?'],
  ['a\u2028b\u2029c\u202ed', 'a?b?c?d'],
])('makes one line of %j', (text, line) => {
  expect(inOneLine(text)).toBe(line);
});
