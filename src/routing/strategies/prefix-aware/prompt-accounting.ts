import type { AttemptEvent } from '../../../core/attempt-event.js';
import { type EngineAccount, isAdapter } from '../../../core/cost/engine-account.js';
import { type OpenPrompt, findOpen, keepOpen, takeOpen } from '../../../core/cost/open-prompts.js';
import type { PeerLoads } from '../../../core/cost/peer-loads.js';
import { isComputed, promptWork } from '../../../core/cost/prompt-work.js';
import type { PrefixIndex } from '../../../core/prefix/prefix-index.js';
import type { FleetAccounts } from './fleet-accounts.js';
import type { PrefixShare } from './prefix-share.js';

type Dispatched = AttemptEvent & { readonly type: 'dispatched' };
type FirstToken = AttemptEvent & { readonly type: 'firstToken' };
type Finished = AttemptEvent & { readonly type: 'finished' };

/**
 * Keeps the accounts by the events of attempts: what is under way on each engine, what its cache is believed to
 * hold, and what its answers tell of it. State: at the requests, and in the parts that are handed in.
 */
export class PromptAccounting {
  readonly #slot = [0];
  readonly #matched = new Uint32Array(1);

  constructor(
    private readonly accounts: FleetAccounts,
    private readonly index: PrefixIndex,
    private readonly peers: PeerLoads,
    private readonly share: PrefixShare,
  ) {}

  /** O(1) but for the blocks of the prompt. */
  heed(event: AttemptEvent): void {
    if (event.type === 'dispatched') return this.#begin(event);
    const open = findOpen(this, event);
    if (open === null) return;
    if (event.type === 'firstToken') this.#heedFirstToken(open, event);
    else this.#end(open, event);
  }

  #begin(event: Dispatched): void {
    const { request, engine, attempt, at } = event;
    // Events of one attempt come once; were one to come again, what the first began would never end.
    if (!Object.isExtensible(request) || findOpen(this, event) !== null) return;
    const account = this.accounts.of(engine);
    const habits = this.accounts.habits(request.model);
    const { blocks: prompt, tokens: promptTokens } = promptWork(request, habits);
    let [cachedTokens, heldBlocks] = [0, 0];
    if (prompt) {
      this.#slot[0] = account.slot;
      this.index.match(prompt.names, this.#slot, this.#matched);
      const cached = (this.#matched[0] ?? 0) * habits.tokensIn(prompt.blockSize, prompt.unit);
      cachedTokens = Math.min(cached, Math.max(promptTokens - 1, 0));
      heldBlocks = this.index.hold(account.slot, prompt.names);
      this.share.inserted(account, prompt.names);
    }
    if (isAdapter(request.model, engine.models)) account.adapters.use(request.model);
    const open: OpenPrompt = {
      owner: this,
      account,
      attempt,
      uncached: Math.round(promptTokens - cachedTokens),
      promptTokens,
      cachedTokens,
      heldBlocks,
      losses: account.losses,
      ahead: account.pending.at(at) + this.peers.of(account.id).pending,
      computedAt: Infinity,
      pending: false,
      before: null,
      after: null,
      firstTokenAt: null,
      loadBefore: 0,
      computedBefore: 0,
      next: null,
    };
    keepOpen(request, open);
    account.pending.settle(at);
    if (request.stream) account.pending.addAwaited(open);
    else {
      const rate = account.pace.prefillRate ?? this.accounts.group(account.base).prefillRate;
      account.pending.addReckoned(open, at, rate);
    }
    account.cache.heedSent(promptTokens, cachedTokens);
    account.intake.send(open.uncached, at);
    account.begin();
    this.#changed(account, at);
  }

  #heedFirstToken(open: OpenPrompt, event: FirstToken): void {
    if (open.firstTokenAt !== null) return;
    const { account } = open;
    open.firstTokenAt = event.at;
    open.loadBefore = account.load.until(event.at);
    account.computedTokens += open.uncached;
    open.computedBefore = account.computedTokens;
    account.pending.release(open);
    this.share.changed(account);
    // The first byte of a whole answer is its last one: it tells nothing of the prompt.
    if (event.request.stream) account.pace.heedPrompt(open.ahead + open.uncached, event.sinceDispatch);
  }

  #end(open: OpenPrompt, event: Finished): void {
    const { account } = open;
    takeOpen(event.request, open);
    account.pending.release(open);
    account.failures.heed(event);
    if (event.outcome === 'done') this.#learn(open, event);
    this.#free(open, event);
    account.end();
    this.#changed(account, event.at);
  }

  #learn(open: OpenPrompt, { request, at, usage, pieces = 0, heldUp = false }: Finished): void {
    const { account, firstTokenAt, promptTokens, cachedTokens } = open;
    this.accounts.learning(request.model).heed(request.prompt?.blocks() ?? null, usage, pieces);
    // Of an engine that has left the fleet; its place in the index may be another one's by now.
    if (!this.accounts.has(account)) return;
    if (request.stream && firstTokenAt !== null && at > firstTokenAt && !heldUp) {
      const inFlight = (account.load.until(at) - open.loadBefore) / (at - firstTokenAt);
      const prefill = account.computedTokens - open.computedBefore;
      account.pace.heedAnswer(usage?.completion || pieces, at - firstTokenAt, inFlight, at, prefill);
    }
    this.accounts.heard(account);
    if (usage === null || !(usage.prompt > 0) || request.prompt === undefined) return;
    const cached = account.cache.cachedOf(request.shape, usage.cached);
    if (cached === null) return;
    const predicted = cachedTokens * (usage.prompt / Math.max(promptTokens, 1));
    account.predictedTokens += predicted;
    account.reportedTokens += cached;
    const fullness = this.accounts.fullness(account);
    const verdict = account.cache.heedReported(usage.prompt, predicted, cached, open.ahead === 0, fullness);
    if (verdict === 'lost') this.#clear(account);
    this.accounts.resize(account);
  }

  /** The engine has the answer in its cache too, and frees prompt and answer now: they are its most recent. */
  #free({ account, heldBlocks, losses }: OpenPrompt, { request, answer, outcome }: Finished): void {
    if (!this.accounts.has(account) || !isComputed(request.path)) return;
    const whole = answer ? request.prompt?.withAnswer(answer) : null;
    const prompt = whole ?? request.prompt?.blocks();
    if (!prompt) return;
    const held = losses === account.losses ? heldBlocks : 0;
    const cached = Boolean(whole) || outcome === 'done';
    if (cached || held > 0) this.index.release(account.slot, prompt.names, held);
    if (cached) this.share.inserted(account, prompt.names);
  }

  #changed(account: EngineAccount, at: number): void {
    account.load.set(account.inFlight + this.peers.of(account.id).inFlight, at);
    this.share.changed(account);
  }

  #clear(account: EngineAccount): void {
    this.accounts.clear(account);
    this.share.cleared(account);
  }
}
