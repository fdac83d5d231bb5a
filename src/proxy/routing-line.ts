import { inOneLine } from '../core/one-line.js';
import type { Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';

/**
 * The line of the original router for each request, which people's log tools know.
 * @param receivedAt monotonic milliseconds
 */
export function routingLine(facts: RequestFacts, ranking: Ranking, receivedAt: number): string {
  const url = ranking[0]?.candidate.engine.url ?? 'None';
  const seconds = ((performance.now() - receivedAt) / 1_000).toFixed(4);
  // The session is the client's text.
  const session = facts.session === null ? 'None' : inOneLine(facts.session);
  return `Routing request ${facts.id} with session id ${session} to ${url} at ${Date.now() / 1_000}, process time = ${seconds}`;
}
