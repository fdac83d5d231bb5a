import { isTooDeep, MOST_LEVELS } from '../../../src/core/json-depth.js';

const pad = ' '.repeat(8_192);
const tooDeep = (text: string): boolean => isTooDeep(Buffer.from(text));
const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('JSON text', () => {
  it('may be nested as deep as engines read it, and no deeper', () => {
    expect(tooDeep(pad + arrays(MOST_LEVELS))).toBe(false);
    expect(tooDeep(pad + arrays(MOST_LEVELS + 1))).toBe(true);
    expect(tooDeep(`${pad}${'{"a":'.repeat(600)}${arrays(600)}${'}'.repeat(600)}`)).toBe(true);
    expect(tooDeep(pad + '['.repeat(MOST_LEVELS + 1))).toBe(true);
  });

  it('may hold any number of brackets beside each other', () => {
    expect(tooDeep(pad + arrays(3).repeat(5_000))).toBe(false);
    expect(tooDeep(`${pad}[${Array(5_000).fill('{"a":[1]}').join(',')}]`)).toBe(false);
  });

  it('may hold brackets in strings, whatever is escaped there', () => {
    const inside = '['.repeat(5_000);
    for (const string of [`"${inside}"`, `"\\"${inside}"`, `"\\\\\\"${inside}"`, `"${inside}\\\\"`]) {
      expect(() => JSON.parse(string) as unknown).not.toThrow();
      expect(tooDeep(`${pad}[${string},${string}]`)).toBe(false);
      expect(tooDeep(`${pad}[${string},${arrays(MOST_LEVELS)}]`)).toBe(true);
    }
  });

  it('that is none is judged without end or error', () => {
    expect(tooDeep(`${pad}"${'['.repeat(5_000)}`)).toBe(false);
    expect(tooDeep(pad + ']'.repeat(5_000) + '['.repeat(5_000))).toBe(false);
    expect(tooDeep(`${pad}${'"\\'.repeat(5_000)}${'['.repeat(2_000)}`)).toBe(false);
  });

  it('that is small is not looked at', () => {
    expect(tooDeep('['.repeat(4_096))).toBe(false);
  });
});
