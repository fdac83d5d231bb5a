import type { SequenceSpec } from '../../../src/simulator/model/sequence.js';
import { TokenPrompt } from '../../../src/what-if/runner/token-prompt.js';

const spec = (length: number, over: Partial<SequenceSpec> = {}): SequenceSpec => ({
  promptTokens: Int32Array.from({ length }, (_, at) => at),
  cacheKey: 'model',
  adapter: null,
  maxTokens: 100,
  outputToken: (index) => length + index,
  ...over,
});

describe('the prompt of a simulated request', () => {
  it('has a name for each 64 tokens, and its whole length', () => {
    const { names, size, blockSize, unit } = new TokenPrompt(spec(200)).blocks();
    expect([names.length, size, blockSize, unit]).toEqual([3, 200, 64, 'tokens']);
  });

  it('begins as a longer prompt does, and apart from other adapters and salts', () => {
    const names = (one: SequenceSpec): number[] => [...new TokenPrompt(one).blocks().names];
    expect(names(spec(300)).slice(0, 3)).toEqual(names(spec(200)));
    expect(names(spec(200, { adapter: 'a' }))[0]).not.toBe(names(spec(200))[0]);
    expect(names(spec(200, { cacheKey: 'b' }))[0]).not.toBe(names(spec(200))[0]);
  });

  it('has with its answer the blocks that the next turn begins with', () => {
    const whole = new TokenPrompt(spec(200)).withAnswer('x'.repeat(100));
    expect([...(whole?.names ?? [])]).toEqual([...new TokenPrompt(spec(300)).blocks().names]);
  });

  it('tells of no answer that fills no block or of which nothing is known', () => {
    expect(new TokenPrompt(spec(200)).withAnswer('x'.repeat(55))).toBeNull();
    const { promptTokens, cacheKey } = spec(200);
    const unknown = new TokenPrompt({ promptTokens, cacheKey, adapter: null, maxTokens: 1 });
    expect(unknown.withAnswer('x'.repeat(100))).toBeNull();
  });
});
