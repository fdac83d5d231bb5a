import fc from 'fast-check';

interface Options {
  readonly runs: number;
  readonly isolate: boolean;
  readonly stages: readonly string[];
  readonly cores: { readonly peers: number; readonly load: number };
}

const { chatBody, streamBody } = require('../../../bench/bodies.mjs') as {
  chatBody(size: number, parameters?: object): Buffer;
  streamBody(size: number, chunks: number, gapMs: number): Buffer;
};
const { readOptions } = require('../../../bench/options.mjs') as {
  readOptions(args: readonly string[], place?: { root: boolean; cpus: number }): Options;
};

describe("the benchmark's requests", () => {
  it('are chat requests of exactly the size that is asked for, the model first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 40_000 }), (size) => {
        const body = chatBody(size);
        expect(body).toHaveLength(size);
        expect(body.toString()).toMatch(/^\{"model":"m","messages":/);
        expect(JSON.parse(body.toString())).toMatchObject({ stream: false, max_tokens: 64 });
      }),
    );
  });

  it('tell the light engine how to stream', () => {
    const wanted = { stream: true, max_tokens: 100, seed: 10 };
    expect(JSON.parse(streamBody(1024, 100, 10).toString())).toMatchObject(wanted);
  });
});

describe("the benchmark's command line", () => {
  it('has defaults', () => {
    const options = readOptions([], { root: false, cpus: 8 });
    expect(options).toMatchObject({ runs: 1, isolate: false, cores: { peers: 0, load: 1 } });
    expect(options.stages).toContain('small');
  });

  it('isolates as root unless told not to, and shares a single core', () => {
    expect(readOptions([], { root: true, cpus: 1 })).toMatchObject({
      ...{ isolate: true, cores: { peers: 0, load: 0 } },
    });
    expect(readOptions(['--no-isolation'], { root: true, cpus: 1 }).isolate).toBe(false);
  });

  it('says in one sentence what is wrong', () => {
    expect(() => readOptions(['--runs', 'many'])).toThrow(
      '--runs is "many"; it must be a whole number from 1 to 20',
    );
    expect(() => readOptions(['--stages', 'small,smell'])).toThrow('there is no stage smell');
    expect(() => readOptions(['--unknown'])).toThrow('--help');
  });
});
