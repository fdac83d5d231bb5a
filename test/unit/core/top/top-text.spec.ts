import fc from 'fast-check';
import { SORTS, topLines } from '../../../../src/core/top/top-text.js';
import type { TopRow, TopView } from '../../../../src/core/top/top-view.js';

const row = (url: string, fields: Partial<TopRow> = {}): TopRow => ({
  ...{
    url,
    state: 'ready',
    reason: null,
    models: ['llama'],
    inFlight: 3,
    prefill: 1,
    pending: 40,
    waiting: 0,
  },
  ...{
    qps: 1.234,
    ttft: { p50: 0.0731, p99: 1.5 },
    itl: { p50: 0.02, p99: 0.149 },
    hitRate: 0.9,
    kvUse: 0.001,
    slowness: 1,
  },
  ...fields,
});
const view = (rows: readonly TopRow[], fields: Partial<TopView> = {}): TopView => ({
  ...{
    version: '0.1.0',
    upSeconds: 3_700,
    workers: null,
    health: { unready: null, discovery: null },
    window: 60,
  },
  ...{ inFlight: 6, held: null, qps: 2.5, ttft: { p50: 0.1, p99: 0.2 }, itl: { p50: null, p99: null } },
  ...{ outcomes: [], rejections: [], retries: [], ejections: [] },
  rows,
  ...fields,
});
const texts = (of: TopView, width = 160, sort: (typeof SORTS)[number] = 'name'): string[] =>
  topLines(of, 'http://r:8001', width, sort).map(({ text }) => text);

describe('a router as text', () => {
  it('is what an operator asks first, then its engines', () => {
    const rows = [
      row('http://b:8000', { state: 'ejected', reason: 'refused', models: [] }),
      row('http://a:8000'),
    ];
    expect(
      texts(
        view(rows, {
          health: { unready: null, discovery: { provider: 'k8s', state: 'degraded', reason: 'pods: 403' } },
          held: 2,
          workers: 4,
          outcomes: [['done', 90]],
          retries: [['refused', 3]],
        }),
      ),
    ).toEqual([
      'vllm-router 0.1.0 at http://r:8001, up 62 min, 4 workers',
      'ready',
      'discovery k8s: degraded, pods: 403',
      '',
      '1 of 2 engines ready, 6 in flight, 2 held, 2.50 requests a second',
      'last 60 s: first token p50 100 ms p99 200 ms, between tokens p50 - p99 -',
      'attempts: done 90',
      'retries: refused 3',
      '',
      'ENGINE  STATE    IN FLIGHT  PREFILL  PENDING  QUEUE   QPS  TTFT p50     p99  ITL p50     p99  HITS  KV  SLOW  MODELS',
      'a:8000  ready            3        1       40      0  1.23   73.1 ms  1.50 s  20.0 ms  149 ms   90%  0%  1.00  llama',
      'b:8000  ejected          3        1       40      0  1.23   73.1 ms  1.50 s  20.0 ms  149 ms   90%  0%  1.00',
      '  because: refused',
    ]);
  });

  it('says that it is not ready, and that it has no engines', () => {
    const lines = topLines(
      view([], { health: { unready: 'shutting down', discovery: null } }),
      'r',
      80,
      'name',
    );
    expect(lines).toContainEqual({ text: 'not ready: shutting down', tone: 'bad' });
    expect(lines.at(-1)).toEqual({ text: 'no engines', tone: 'bad' });
  });

  it('keeps state and load where there is little room', () => {
    const narrow = texts(view([row('http://engine-with-a-long-name.llm.svc.cluster.local:8000')]), 60);
    expect(narrow.at(-2)).toMatch(/^ENGINE +STATE {2}IN FLIGHT +QPS$/);
    expect(narrow.at(-1)).toMatch(/^engine-with-[^ ]*> {2}ready +3 +1\.23/);
  });

  it('has its engines in the order that was asked for', () => {
    const rows = [
      row('http://a:1', { qps: 1, inFlight: 9, ttft: { p50: null, p99: null } }),
      row('http://a:10', { qps: 3, state: 'ejected' }),
      row('http://a:2', { qps: 2, inFlight: 4, ttft: { p50: 2, p99: 3 } }),
    ];
    const order = (sort: (typeof SORTS)[number]): string[] =>
      texts(view(rows), 160, sort).flatMap((line) => /^a:\d+/.exec(line)?.[0] ?? []);
    expect(order('name')).toEqual(['a:1', 'a:2', 'a:10']);
    expect(order('state')).toEqual(['a:10', 'a:1', 'a:2']);
    expect(order('inflight')).toEqual(['a:1', 'a:2', 'a:10']);
    expect(order('qps')).toEqual(['a:10', 'a:2', 'a:1']);
    expect(order('ttft')).toEqual(['a:2', 'a:10', 'a:1']);
  });

  it('fits, and holds nothing that a terminal obeys, whatever names come from outside', () => {
    const name = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name, name), { maxLength: 4 }),
        fc.integer({ min: 40, max: 250 }),
        (names, width) => {
          const rows = names.map(([url, model, reason]) =>
            row(url, { models: [model], reason, state: 'ejected' }),
          );
          const odd = view(rows, { rejections: names.map(([word]) => [word, 1]) });
          for (const text of texts(odd, width)) {
            expect(text.length).toBeLessThanOrEqual(width);
            expect(text).toMatch(/^[\x20-\x7e\u00a1-\u04ff]*$/);
          }
        },
      ),
    );
  });
});
