import type { FinishReason } from '../model/sequence.js';
import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import { type AnswerOutput, Job } from './job.js';
import { modelFor } from './request-checks.js';
import type { JsonRoute } from './route.js';
import { completionPrompts, type JsonObject } from './simulated-text.js';
import * as format from './wire-format-other.js';

/** Texts that a pooling request is about, wherever its API puts them. */
function inputTexts(body: JsonObject): string[] {
  const given = body.input ?? body.documents ?? body.text_2 ?? body.items ?? body.messages ?? '';
  return (Array.isArray(given) ? given : [given]).map((item: unknown) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
}

/** Answers once the engine has computed all texts. */
class PooledAnswer implements AnswerOutput {
  #open: number;

  constructor(
    private readonly exchange: Exchange,
    private readonly value: object,
    count: number,
  ) {
    this.#open = count;
  }

  token(): void {}

  finished(_choice: number, _reason: FinishReason): void {
    this.#open -= 1;
  }

  flush(): void {
    if (this.#open === 0) this.exchange.sendJson(200, this.value);
  }

  fail(): void {
    this.exchange.sendError(format.ENGINE_DEAD);
  }
}

const NO_TOKENS = { ascii: true, text: () => '', id: () => 0 };

function pool(exchange: Exchange, state: EngineState, model: string, texts: string[], value: object): void {
  const prompts = texts.flatMap(completionPrompts);
  const output = new PooledAnswer(exchange, value, prompts.length);
  const wish = { cacheKey: model, adapter: null, maxTokens: 0, stopAfter: Infinity, priority: 0 };
  const jobs = prompts.map(
    (prompt, index) => new Job(index, prompt, NO_TOKENS, output, wish, state.model.capacity),
  );
  if (jobs.length === 0) return exchange.sendJson(200, value);
  exchange.onOver(() => {
    for (const job of jobs) state.driver.abort(job);
  });
  if (!state.driver.submit(jobs)) exchange.sendError(format.QUEUE_FULL);
}

const pooling =
  (answer: (model: string, texts: readonly string[], tokens: number) => object): JsonRoute =>
  (exchange, state, body) => {
    const model = modelFor(state, body.model);
    if ('status' in model) return exchange.sendError(model);
    const texts = inputTexts(body);
    const tokens = completionPrompts(texts).reduce((sum, { ids }) => sum + ids.length, 0);
    pool(exchange, state, model.id, texts, answer(model.id, texts, tokens));
  };

const score = pooling(format.scoreList);
const rerank = pooling(format.rerankResult);

/** `POST` routes of an engine that pools. */
export const POOLING_ROUTES: Readonly<Record<string, JsonRoute>> = {
  '/v1/embeddings': pooling(format.embeddingList),
  '/pooling': pooling(format.poolingList),
  '/classify': pooling(format.classifyList),
  '/score': score,
  '/v1/score': score,
  '/rerank': rerank,
  '/v1/rerank': rerank,
  '/v2/rerank': rerank,
};
