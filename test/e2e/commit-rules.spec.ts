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

describe('a failure before the first token', () => {
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  beforeEach(async () => {
    engines = await Promise.all([
      startSimulatedEngine({ models: ['tiny'] }),
      startSimulatedEngine({ models: ['tiny'] }),
    ]);
    router = await startTestRouter(engines);
  });
  afterEach(async () => {
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  /** Two requests meet both engines in turn: one of them fails first. */
  const bothAnswer = async (fault: Fault, cause: string, stream: boolean): Promise<void> => {
    const [bad, good] = engines as [SimulatedEngine, SimulatedEngine];
    await bad.setFault(fault);
    for (const _ of [1, 2]) {
      const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream }) });
      expect(answer.status).toBe(200);
      if (stream) expect(framesOf(answer.body).at(-1)).toBe('data: [DONE]');
      else
        expect(jsonOf<{ choices: { finish_reason: string }[] }>(answer).choices[0]?.finish_reason).toBe(
          'length',
        );
    }
    expect(good.requestCount).toBe(2);
    expect(await metric(router.url, 'vllm_router_retries_total', `cause="${cause}"`)).toBe(1);
    await whenNothingIsHeld(router.url);
  };

  it.each(STREAM_FAILURES)('of an engine that %s moves a stream to the other engine', (_name, fault, cause) =>
    bothAnswer(fault, cause, true),
  );
  it.each(WHOLE_FAILURES)('of an engine that %s moves an answer to the other engine', (_name, fault, cause) =>
    bothAnswer(fault, cause, false),
  );
});
