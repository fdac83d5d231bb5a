import type { AttemptEvent } from '../attempt-event.js';
import type { RequestFacts } from '../request-facts.js';
import type { EngineAccount } from './engine-account.js';
import type { PendingPrompt } from './pending-tokens.js';

/** One attempt between `dispatched` and `finished`, kept at its request. */
export interface OpenPrompt extends PendingPrompt {
  /** Who reckons with it: after a switch of strategy, events of attempts that another one began come as well. */
  readonly owner: object;
  readonly account: EngineAccount;
  readonly attempt: number;
  /** Tokens of the prompt, and how many of them were believed to be cached. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Leading blocks that it holds in the prefix index, and the engine's `losses` when it began. */
  readonly heldBlocks: number;
  readonly losses: number;
  /** Tokens that were pending on the engine before this prompt. */
  readonly ahead: number;
  /** When its first token came, monotonic milliseconds. */
  firstTokenAt: number | null;
  /** The integral of the engine's load until then. */
  loadBefore: number;
  /** Prompt tokens that the engine had computed until then, see `EngineAccount.computedTokens`. */
  computedBefore: number;
  /** Another open attempt of the same request. */
  next: OpenPrompt | null;
}

const firstOf = (request: RequestFacts): OpenPrompt | null =>
  (request.openPrompts ?? null) as OpenPrompt | null;

/** The open attempt that the event is of; null when `owner` has not begun it. */
export function findOpen(owner: object, { request, engine, attempt }: AttemptEvent): OpenPrompt | null {
  let one = firstOf(request);
  while (one !== null) {
    if (one.owner === owner && one.attempt === attempt && one.account.id === engine.id) return one;
    one = one.next;
  }
  return null;
}

/** Keeps the attempt at its request. */
export function keepOpen(request: RequestFacts, opened: OpenPrompt): void {
  opened.next = firstOf(request);
  request.openPrompts = opened;
}

/** Takes the attempt from its request. */
export function takeOpen(request: RequestFacts, ended: OpenPrompt): void {
  if (firstOf(request) === ended) {
    request.openPrompts = ended.next;
    return;
  }
  for (let one = firstOf(request); one !== null; one = one.next) {
    if (one.next === ended) one.next = ended.next;
  }
}
