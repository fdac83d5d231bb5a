import { replayOf } from '../../../src/what-if/replay/replay.js';
import { readTrace } from '../../../src/what-if/replay/trace.js';

const lines = (...values: object[]): string => values.map((value) => JSON.stringify(value)).join('\n');

describe('a trace in the format of Mooncake', () => {
  const text = lines(
    { timestamp: 3000, input_length: 1100, output_length: 7, hash_ids: [1, 2, 3] },
    { timestamp: 1000, input_length: 1030, output_length: 5, hash_ids: [1, 2, 4] },
  );

  it('is read in the order of time, which begins with its first request', () => {
    const { requests, blockTokens } = readTrace(text);
    expect(blockTokens).toBe(512);
    expect(requests.map(({ at, promptTokens, outputTokens }) => [at, promptTokens, outputTokens])).toEqual([
      [0, 1030, 5],
      [2, 1100, 7],
    ]);
  });

  it('gives prompts that share what their blocks share, faster when it is told to', () => {
    const [one, other] = [...replayOf(readTrace(text), 2).arrivals];
    expect(other?.arrival).toBe(1);
    const [a, b] = [one?.spec.promptTokens, other?.spec.promptTokens];
    expect(b).toHaveLength(1100);
    expect(a?.slice(0, 1024)).toEqual(b?.slice(0, 1024));
    expect(a?.slice(1024, 1030)).not.toEqual(b?.slice(1024, 1030));
  });
});

describe('a decision log', () => {
  const entry = {
    ...{ v: 1, time: 100.5, model: 'm', session: 'abc', unit: 'bytes', block_size: 256 },
    ...{ prompt_size: 1024, block_count: 4, blocks: ['a', 'b', 'c', 'd'], completion_tokens: 20 },
  };

  it('is read with the tokens of a block learned from the whole of it', () => {
    const { requests, blockTokens } = readTrace(
      lines({ ...entry, prompt_tokens: 200 }, { ...entry, time: 101.5, prompt_tokens: null, pieces: 9 }),
    );
    expect(blockTokens).toBe(50);
    expect(requests.map(({ at, promptTokens }) => [at, promptTokens])).toEqual([
      [0, 200],
      [1, 200],
    ]);
    expect(requests[0]).toMatchObject({ session: 'abc', outputTokens: 20, blocks: ['a', 'b', 'c', 'd'] });
  });

  it('passes over requests for which engines compute no prompt', () => {
    const counted = { ...entry, path: '/v1/messages/count_tokens', prompt_tokens: null };
    expect(readTrace(lines({ ...entry, path: '/v1/messages' }, counted)).requests).toHaveLength(1);
  });

  it('passes over lines that were cut and values that make no sense', () => {
    const odd = lines(
      { ...entry, prompt_tokens: -1, time: 'x' },
      { ...entry, prompt_tokens: 1e300, completion_tokens: null },
      { timestamp: 0 },
    );
    const { requests } = readTrace(`{"time":1,"blo\n[]\nnull\n\n${odd}`);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.promptTokens).toBeLessThanOrEqual(1_000_000);
  });

  it('is refused in one sentence when nothing of it can be replayed', () => {
    expect(() => readTrace('hello\n{}')).toThrow('no line of it is a request');
  });
});
