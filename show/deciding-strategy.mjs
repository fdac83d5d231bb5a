// The strategy `prefixaware` of dist as the router calls it, without the sockets around it: requests are ranked, sent and
// answered, each answer some hundred requests later, so that every engine has some under way and has shown its pace.
import { join } from 'node:path';
import { ROOT } from './processes.mjs';

const MODEL = 'm';
const KEY = { high: 0x51ed270b, low: 0x2545f491 };
/** Requests under way at a time, and what each of them brings. */
const UNDER_WAY = 256;
const PROMPT_MS = 120;
const ANSWER = { pieces: 200, ms: 4_000 };
/** Milliseconds between two requests. */
const GAP_MS = ANSWER.ms / UNDER_WAY;

const dist = (path) => import(join(ROOT, 'dist', path));

/** @param engines how many there are; @param indexBytes bound of the prefix index */
export async function decidingStrategy(engines, indexBytes) {
  const { PrefixAwareStrategy } = await dist('routing/strategies/prefix-aware.strategy.js');
  const { defaultSettings } = await dist('what-if/runner/default-settings.js');
  const { readPrompt } = await dist('core/prefix/read-prompt.js');
  const { RequestPrompt } = await dist('core/prefix/request-prompt.js');
  const { completeRanking } = await dist('core/ranking.js');
  const strategy = new PrefixAwareStrategy({
    ...defaultSettings('prefixaware'),
    prefixIndexMemory: indexBytes,
  });
  const candidates = Array.from({ length: engines }, (_, at) => {
    const url = `http://engine-${at}:8000`;
    const signals = { inFlight: 0, qps: 0, engineWaiting: 0, engineRunning: 0 };
    return { engine: { id: url, url, models: [{ id: MODEL, parent: null }], labels: {} }, signals };
  });
  strategy.retain(candidates.map(({ engine }) => engine));
  return new DecidingStrategy(strategy, candidates, { readPrompt, RequestPrompt, completeRanking });
}

class DecidingStrategy {
  #now = 0;
  #underWay = [];
  #count = 0;

  constructor(strategy, candidates, parts) {
    this.strategy = strategy;
    this.candidates = candidates;
    this.parts = parts;
  }

  /** Blocks in the prefix index. */
  get blocks() {
    const figure = this.strategy.figures().find(({ name }) => name === 'prefix_index_blocks');
    return figure.values[0].value;
  }

  /** What the router knows of a request with this body. */
  facts(body) {
    const { readPrompt, RequestPrompt } = this.parts;
    return this.#request(new RequestPrompt(() => readPrompt('chat', body, MODEL, KEY)));
  }

  /** What is done for a request before it leaves: read the prompt, look it up, reckon, and rank all engines. */
  decide(request) {
    const context = { now: this.#now, random: Math.random };
    const ranking = this.strategy.rank(request, this.candidates, context);
    return this.parts.completeRanking(ranking, this.candidates)[0];
  }

  /** The request leaves for the engine that was chosen. */
  send(request, ranked) {
    const { candidate } = ranked;
    this.#observe(request, candidate, { type: 'dispatched', ranked });
    candidate.signals.inFlight++;
    this.#underWay.push({ request, candidate, sentAt: this.#now });
  }

  /** Time goes on until the next request, and the oldest one of those under way is answered. */
  pass() {
    this.#now += GAP_MS;
    if (this.#underWay.length > UNDER_WAY) this.#answer(this.#underWay.shift());
  }

  /** An engine has computed a prompt of these blocks before. */
  hold(at, names, blockSize) {
    const blocks = { names, size: names.length * blockSize, blockSize, unit: 'bytes' };
    const request = this.#request({ blocks: () => blocks, withAnswer: () => null });
    const candidate = this.candidates[at];
    this.#observe(request, candidate, { type: 'dispatched' });
    this.#observe(request, candidate, {
      ...{ type: 'finished', outcome: 'client_left', status: null, cause: null },
      ...{ sinceDispatch: 0, usage: null, pieces: 0, answer: null },
    });
  }

  #answer({ request, candidate, sentAt }) {
    candidate.signals.inFlight--;
    const at = Math.min(sentAt + PROMPT_MS, this.#now);
    this.#observe(request, candidate, { type: 'firstToken', sinceDispatch: PROMPT_MS, at });
    this.#observe(request, candidate, {
      ...{ type: 'finished', outcome: 'done', status: 200, cause: null },
      ...{ sinceDispatch: this.#now - sentAt, usage: null, pieces: ANSWER.pieces, answer: null },
    });
  }

  #request(prompt) {
    const id = `request-${this.#count++}`;
    const path = '/v1/chat/completions';
    return { id, path, shape: 'chat', model: MODEL, stream: true, session: null, prompt };
  }

  #observe(request, { engine }, event) {
    this.strategy.observe({ at: this.#now, attempt: 1, request, engine, ...event });
  }
}
