interface Spans {
  begin(): void;
  end(): void;
}
interface Engine {
  url: string;
  faulty: Spans;
  absent: Spans;
}
interface Verdict {
  lost: boolean;
  avoidable: boolean;
  why: string;
}

const { ChaosEngine } = require('../../../chaos/engine.mjs') as {
  ChaosEngine: new (wish: { index: number; port: number; models: string[] }) => Engine;
};
const { Judge } = require('../../../chaos/judge.mjs') as {
  Judge: new (
    engines: readonly Engine[],
    hostile: null,
    continues: boolean,
    decisions: Map<string, object>,
  ) => {
    learn(played: readonly object[]): void;
    judge(asked: object, came: object, outcome: { kind: string }): Verdict;
  };
};

const asked = (fields: object = {}) => ({
  id: 'r',
  model: 'm',
  api: 'chat',
  stream: false,
  choices: 1,
  huge: false,
  good: true,
  ...fields,
});

/** Two engines; the first fails in the middle of the request. */
function scene(continues: boolean, decision: object, second: (engine: Engine) => void = () => undefined) {
  const engines = [1, 2].map((port) => new ChaosEngine({ index: port, port, models: ['m'] }));
  const startedAt = performance.now();
  engines[0]!.faulty.begin();
  second(engines[1]!);
  const came = { startedAt, endedAt: performance.now(), status: 200, body: Buffer.alloc(10) };
  const judge = new Judge(
    engines,
    null,
    continues,
    new Map([['r', { engine: engines[0]!.url, ...decision }]]),
  );
  judge.learn([{ asked: asked(), came }]);
  return { judge, came };
}

describe('a loss', () => {
  it('is avoidable while another engine is good all the time', () => {
    const { judge, came } = scene(false, { attempts: [{ cause: 'reset' }] });
    expect(judge.judge(asked(), came, { kind: 'error' })).toMatchObject({ lost: true, avoidable: true });
    expect(judge.judge(asked(), came, { kind: 'cut' })).toMatchObject({ lost: true, avoidable: true });
    expect(judge.judge(asked(), came, { kind: 'whole' })).toMatchObject({ lost: false });
    expect(judge.judge(asked({ good: false }), came, { kind: 'error' })).toMatchObject({ lost: false });
  });

  it.each<[string, (engine: Engine) => void]>([
    ['failed for a moment', (engine) => (engine.faulty.begin(), engine.faulty.end())],
    ['was not in the fleet', (engine) => engine.absent.begin()],
  ])('is none when the other one %s', (_name, second) => {
    const { judge, came } = scene(false, { attempts: [] }, second);
    expect(judge.judge(asked(), came, { kind: 'error' })).toMatchObject({ lost: true, avoidable: false });
  });

  it('of a stream that had begun is avoidable only when streams go on elsewhere, or its engine was good', () => {
    const stream = asked({ stream: true });
    const broken = scene(false, {});
    expect(broken.judge.judge(stream, broken.came, { kind: 'event' }).avoidable).toBe(false);
    const going = scene(true, {});
    expect(going.judge.judge(stream, going.came, { kind: 'event' }).avoidable).toBe(true);
    expect(
      going.judge.judge(asked({ stream: true, choices: 2 }), going.came, { kind: 'event' }).avoidable,
    ).toBe(false);
    const good = scene(false, { engine: 'http://127.0.0.1:2' });
    expect(good.judge.judge(stream, good.came, { kind: 'event' }).avoidable).toBe(true);
  });

  it('to the retry budget is one only where the budget was spent', () => {
    const { judge, came } = scene(false, { attempts: [{ cause: 'http_5xx', duration: 0 }] });
    expect(judge.judge(asked(), came, { kind: 'error' }).avoidable).toBe(true);
    const spent = new Map<string, object>([
      ['r', { attempts: [{ cause: 'http_5xx' }], retry_refused: true }],
      ['not', { attempts: [{ cause: 'http_5xx' }], retry_refused: false }],
    ]);
    for (let n = 0; n < 10; n += 1)
      spent.set(`r${n}`, { attempts: [{ cause: 'http_5xx', duration: 0 }, {}] });
    const engines = [1, 2].map((port) => new ChaosEngine({ index: port, port, models: ['m'] }));
    engines[0]!.faulty.begin();
    const other = new Judge(engines, null, false, spent);
    other.learn(Array.from({ length: 10 }, (_, n) => ({ asked: asked({ id: `r${n}` }), came })));
    const verdict = other.judge(asked(), { ...came, endedAt: performance.now() }, { kind: 'error' });
    expect(verdict).toMatchObject({ avoidable: false, why: 'the retry budget was spent' });
    const not = other.judge(asked({ id: 'not' }), { ...came, endedAt: performance.now() }, { kind: 'error' });
    expect(not.avoidable).toBe(true);
    // The word of the router alone is not enough.
    const alone = new Judge(engines, null, false, spent);
    alone.learn([]);
    expect(alone.judge(asked(), came, { kind: 'error' }).avoidable).toBe(true);
  });
});
