import { Http1Client } from '../../../src/upstream/http1/http1-client.js';
import { INVALID, VALID, type CorpusCase } from '../../support/answer-corpus.js';
import { play } from '../../support/play-answer.js';
import { RawEngine } from '../../support/raw-engine.js';
import { UndiciReference } from '../../support/undici-reference.js';

const ALL = [...VALID, ...INVALID];

describe('answers of engines, right and wrong', () => {
  let engine: RawEngine;

  beforeAll(async () => {
    engine = await RawEngine.start();
  });

  afterAll(() => engine.stop());

  const expected = ({ expect: wanted }: CorpusCase): object =>
    wanted === null
      ? { how: 'failed' }
      : { how: 'ended', status: wanted.status, body: wanted.body, reused: wanted.reused };

  it.each(ALL)('own client: $name', async (one) => {
    const outcome = await play(engine, new Http1Client(engine.origin, () => 5_000), one);
    expect(outcome).toMatchObject(expected(one));
  });

  it.each(ALL)('undici: $name', async (one) => {
    const outcome = await play(engine, new UndiciReference(engine.origin), one);
    const agrees = one.undici === undefined;
    if (agrees) expect(outcome).toMatchObject(expected(one));
    else expect(outcome).not.toMatchObject(expected(one));
  });
});
