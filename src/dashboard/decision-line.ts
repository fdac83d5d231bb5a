import type { DecidedPlace, DecisionRecord } from '../core/decision.js';
import { type DecisionLine, rounded } from '../core/live/live-view.js';

const LONGEST_REASON = 120;

const known = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : rounded(value);

/** What the page shows of a decision: the engine tried last, and the one that came after it in the ranking. */
export function decisionLine(record: DecisionRecord): DecisionLine {
  const { id, time, model, strategy, candidates, engine, ranking, attempts, outcome, ttft } = record;
  const taken: DecidedPlace | undefined = attempts.findLast((attempt) => attempt.engine === engine);
  const place = ranking.findIndex((ranked) => ranked.engine === engine);
  const runnerUp = ranking[place + 1];
  const [cost, next] = [known(taken?.cost), known(runnerUp?.cost)];
  return {
    ...{ id, at: time, model, strategy, candidates, engine, outcome, ttft, cost },
    reason: taken?.reason.slice(0, LONGEST_REASON) ?? '',
    uncached: known(taken?.uncached),
    runnerUp: runnerUp?.engine ?? null,
    margin: cost === null || next === null ? null : rounded(next - cost),
    attempts: attempts.length,
  };
}
