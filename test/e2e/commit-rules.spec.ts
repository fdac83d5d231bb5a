import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat, framesOf, jsonOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

/** Each failure and the word by which the router counts it. */
const STREAM_FAILURES: readonly [name: string, fault: Fault, cause: string][] = [
  ['sends an error event first', { errorEvent: true }, 'engine_dead'],
  ['sends nothing but [DONE]', { abort: 'done-only' }, 'empty_stream'],
  ['ends with abort before any token', { abort: 'finish-reason' }, 'abort'],
  ['is draining', { draining: true }, 'draining'],
  ['has lost its core', { dead: true }, 'engine_dead'],
  ['has a full queue', { queueFull: true }, 'busy'],
  ['answers 502', { status: 502 }, 'http_5xx'],
  ['resets after the head', { reset: 'after-head' }, 'reset'],
  ['closes after the head', { fin: 'after-head' }, 'reset'],
  ['closes within the first frame', { fin: 'mid-frame', frames: 0 }, 'reset'],
  ['cuts a chunk of the first frame', { truncated: true }, 'reset'],
  ['closes before the head', { fin: 'before-head' }, 'reset'],
  ['resets before the head', { reset: 'before-head' }, 'reset'],
  ['resets the connection at once', { reset: 'accept' }, 'reset'],
  ['sends no HTTP', { garbage: true }, 'garbage'],
  ['cuts its head', { raw: 'HTTP/1.1 200 OK\r\ncontent-ty' }, 'reset'],
  ['refuses', { refuse: true }, 'refused'],
];

const WHOLE_FAILURES: typeof STREAM_FAILURES = [
  ...STREAM_FAILURES.filter(
    ([, { errorEvent, abort, frames, truncated }]) =>
      !errorEvent && !abort && frames === undefined && !truncated,
  ),
  ['ends with abort', { abort: 'finish-reason' }, 'abort'],
  ['closes in the middle of the body', { fin: 'mid-frame' }, 'reset'],
  ['sends less than its content-length', { wrongLength: 10 }, 'reset'],
  ['breaks off a chunked body', { truncated: true }, 'reset'],
];

const CASES = [
  ...STREAM_FAILURES.map(([name, fault, cause]) => ({ name, fault, cause, moved: 'a stream' })),
  ...WHOLE_FAILURES.map(([name, fault, cause]) => ({ name, fault, cause, moved: 'an answer' })),
].map((one, at) => ({ ...one, model: `m${at}` }));

describe('a failure before the first token', () => {
  /** Two for each case, of a model of their own: an engine that failed may be ejected. */
  let engines: Map<string, [SimulatedEngine, SimulatedEngine]>;
  let router: RunningRouter;
  /** Retries of the cases before, by cause. */
  const retries = new Map<string, number>();

  beforeAll(async () => {
    const start = ({ model }: { model: string }) => startSimulatedEngine({ models: [model] });
    engines = new Map();
    for (const one of CASES) engines.set(one.model, [await start(one), await start(one)]);
    router = await startTestRouter([...engines.values()].flat());
  });
  afterAll(async () => {
    await router.close();
    await Promise.all([...engines.values()].flat().map((engine) => engine.close()));
  });

  // Two requests meet both engines in turn: one of them fails first.
  it.each(CASES)(
    'of an engine that $name moves $moved to the other engine',
    async ({ model, fault, cause, moved }) => {
      const stream = moved === 'a stream';
      const [bad, good] = engines.get(model)!;
      await bad.setFault(fault);
      for (const _ of [1, 2]) {
        const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat({ model, stream }) });
        expect(answer.status).toBe(200);
        if (stream) expect(framesOf(answer.body).at(-1)).toBe('data: [DONE]');
        else
          expect(jsonOf<{ choices: { finish_reason: string }[] }>(answer).choices[0]?.finish_reason).toBe(
            'length',
          );
      }
      expect(good.requestCount).toBe(2);
      const retried = (retries.get(cause) ?? 0) + 1;
      retries.set(cause, retried);
      expect(await metric(router.url, 'vllm_router_retries_total', `cause="${cause}"`)).toBe(retried);
      await whenNothingIsHeld(router.url);
    },
  );
});
