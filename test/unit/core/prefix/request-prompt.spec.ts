import { readPrompt } from '../../../../src/core/prefix/read-prompt.js';
import { RequestPrompt, TokenPrompt } from '../../../../src/core/prefix/request-prompt.js';

const KEY = { high: 1, low: 2 };

describe('RequestPrompt', () => {
  it('reads the prompt once, when it is asked for', () => {
    let reads = 0;
    const prompt = new RequestPrompt(() => {
      reads++;
      return readPrompt('completions', { prompt: 'x'.repeat(300) }, 'm', KEY);
    });
    expect(reads).toBe(0);
    expect(prompt.blocks()).toBe(prompt.blocks());
    expect(prompt.blocks()?.names).toHaveLength(1);
    expect(prompt.withAnswer('y'.repeat(300))?.names).toHaveLength(2);
    expect(reads).toBe(1);
  });

  it('keeps prompts apart that are read in turn', () => {
    const [a, b] = ['a', 'b'].map(
      (letter) =>
        new RequestPrompt(() => readPrompt('completions', { prompt: letter.repeat(700) }, 'm', KEY)),
    );
    a?.blocks();
    b?.blocks();
    const wanted = readPrompt('completions', { prompt: 'a'.repeat(700) + 'c'.repeat(100) }, 'm', KEY);
    expect(a?.withAnswer('c'.repeat(100))).toEqual(wanted?.blocks);
  });

  it('has no blocks where there is no prompt', () => {
    const prompt = new RequestPrompt(() => null);
    expect([prompt.blocks(), prompt.withAnswer('x')]).toEqual([null, null]);
  });
});

describe('TokenPrompt', () => {
  const tokens = Int32Array.from({ length: 130 }, (_, at) => at);

  it('names 64 tokens each and tells cache keys apart', () => {
    const [a, b] = [new TokenPrompt(tokens, 'm'), new TokenPrompt(tokens, 'n')];
    expect(a.blocks()).toMatchObject({ size: 130, blockSize: 64, unit: 'tokens' });
    expect(a.blocks()?.names[0]).toBe(new TokenPrompt([...tokens], 'm').blocks()?.names[0]);
    expect(a.blocks()?.names[0]).not.toBe(b.blocks()?.names[0]);
  });

  it('goes on with the tokens of the answer, where they fill a block', () => {
    const longer = Int32Array.from({ length: 200 }, (_, at) => at);
    const prompt = new TokenPrompt(tokens, 'm', () => longer);
    expect([...(prompt.withAnswer('')?.names ?? [])].slice(0, 2)).toEqual([
      ...(prompt.blocks()?.names ?? []),
    ]);
    expect(prompt.withAnswer('')?.names).toHaveLength(3);
    expect(new TokenPrompt(tokens, 'm', () => tokens).withAnswer('')).toBeNull();
    expect(new TokenPrompt(tokens, 'm').withAnswer('')).toBeNull();
  });
});
