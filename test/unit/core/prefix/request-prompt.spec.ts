import { readPrompt } from '../../../../src/core/prefix/read-prompt.js';
import { RequestPrompt } from '../../../../src/core/prefix/request-prompt.js';

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
