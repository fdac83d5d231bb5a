import type { Settings } from '../../config/settings.schema.js';
import type { AttemptEvent } from '../../core/attempt-event.js';
import { USUAL_TTFT_TARGET, costOf, costWeights, crowding } from '../../core/cost/cost.js';
import { type EngineAccount, baseModel, isAdapter } from '../../core/cost/engine-account.js';
import { loadingTokens } from '../../core/cost/loaded-adapters.js';
import { PeerLoads } from '../../core/cost/peer-loads.js';
import { promptWork } from '../../core/cost/prompt-work.js';
import type { Engine } from '../../core/engine.js';
import { PrefixIndex } from '../../core/prefix/prefix-index.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy, type StrategyFigure } from '../routing-strategy.js';
import { addFailures, CostRanked, sortByCost } from './prefix-aware/cost-ranked.js';
import { FleetAccounts } from './prefix-aware/fleet-accounts.js';
import { prefixFigures } from './prefix-aware/prefix-figures.js';
import { PrefixShare } from './prefix-aware/prefix-share.js';
import { PromptAccounting } from './prefix-aware/prompt-accounting.js';

/** Stands for engines of which nothing is known; no engine has an empty id. */
const NO_ENGINE = '';
/** A count of requests that makes no sense: such an engine is the last choice. */
const UNKNOWN_LOAD = 1e9;

/**
 * Sends a request where it costs least, see `costOf`: what the engine has to compute of its prompt, what is pending
 * before it, and what that takes from the requests that run there. So a conversation stays where its prefix is
 * cached until waiting there costs more than computing the prefix elsewhere.
 *
 * All is the router's own accounting; engines' figures only correct it. Bounds: the prefix index
 * `--prefix-index-memory`, 10,000 engines, 1,024 models, requests in flight.
 */
export class PrefixAwareStrategy extends RoutingStrategy {
  static readonly strategyName = 'prefixaware';
  static readonly aliases = ['kvaware'] as const;
  static readonly reads = ['prefixIndexMemory', 'ttftTarget', 'tpotTarget'] as const;

  override readonly ranksBySignals = true;
  override readonly needsAnswer = true;
  override readonly needsPrompt = true;
  override readonly share: PrefixShare;

  readonly #index: PrefixIndex;
  readonly #accounts: FleetAccounts;
  readonly #accounting: PromptAccounting;
  readonly #peers = new PeerLoads();
  readonly #nobody: number;
  readonly #targets: { readonly ttftTarget: number; readonly tpotTarget: number };
  /** The latest time that was heard, monotonic milliseconds. */
  #now = 0;
  // One ranking at a time: reused by the next.
  readonly #slots: number[] = [];
  #matched = new Uint32Array(64);

  constructor({ prefixIndexMemory, ttftTarget, tpotTarget }: Settings) {
    super();
    this.#targets = { ttftTarget: ttftTarget ?? USUAL_TTFT_TARGET, tpotTarget };
    this.#index = new PrefixIndex({ maxBytes: prefixIndexMemory });
    this.#nobody = this.#index.slotOf(NO_ENGINE);
    this.#accounts = new FleetAccounts(this.#index);
    this.share = new PrefixShare(this.#accounts, this.#index, this.#peers, () => this.#now);
    this.#accounting = new PromptAccounting(this.#accounts, this.#index, this.#peers, this.share);
  }

  override rank(request: RequestFacts, candidates: readonly Candidate[], context: RankContext): Ranking {
    const { now } = context;
    const lot = Math.floor(context.random() * candidates.length);
    const models = candidates[0]?.engine.models ?? [];
    const group = this.#accounts.group(baseModel(models));
    const habits = this.#accounts.habits(request.model);
    const weights = costWeights({
      ...this.#targets,
      output: habits.output,
      slope: group.slope,
      prefillRate: group.knowsPrefillRate ? group.prefillRate : null,
    });
    const adapter = isAdapter(request.model, models);
    const { blocks: prompt, tokens: promptTokens } = promptWork(request, habits);
    const blockTokens = prompt ? habits.tokensIn(prompt.blockSize, prompt.unit) : 0;
    const accounts = this.#accountsOf(candidates);
    if (prompt) this.#match(prompt.names, accounts);

    const ranking: CostRanked[] = [];
    let anyFails = false;
    for (let place = 0; place < candidates.length; place++) {
      const candidate = candidates[place] as Candidate;
      const account = accounts[place];
      const uncached = Math.max(promptTokens - (prompt ? (this.#matched[place] ?? 0) * blockTokens : 0), 1);
      const known = candidate.signals.inFlight;
      let inFlight = known >= 0 && known < UNKNOWN_LOAD ? known : UNKNOWN_LOAD;
      let [pending, slowness, held, crowded, failing] = [0, 1, 0, 1, 0];
      if (account) {
        inFlight += account.foreign.inFlight(now);
        pending = this.#pending(account, now);
        slowness = group.slowness(account.pace, now) * account.slowStart(now);
        held = this.#index.holdings(account.slot);
        crowded = crowding(account.intake.rate(now), group.prefillRate);
        failing = account.failures.odds(now);
        if (failing > 0) anyFails = true;
      }
      const loads = adapter && account?.adapters.has(request.model) !== true;
      const loading = loads ? loadingTokens(account?.pace.prefillRate ?? group.prefillRate) : 0;
      const cost = costOf(weights, uncached, pending, inFlight, slowness, loading, crowded);
      const turn = (place + lot) % candidates.length;
      ranking.push(
        new CostRanked(
          candidate,
          cost,
          uncached,
          pending,
          inFlight,
          slowness,
          promptTokens,
          loads,
          held,
          turn,
          failing,
          account?.pace.prefillRate ?? (group.knowsPrefillRate ? group.prefillRate : null),
        ),
      );
    }
    if (anyFails) addFailures(ranking);
    return sortByCost(ranking);
  }

  override observe(event: AttemptEvent): void {
    if (event.at > this.#now) this.#now = event.at;
    this.#accounting.heed(event);
  }

  override retain(engines: readonly Engine[]): void {
    this.#accounts.retain(engines, this.#now);
    this.#peers.retain((id) => this.#accounts.get(id) !== undefined);
  }

  override heedStats(engine: Engine, stats: EngineStats | null, at: number): void {
    if (at > this.#now) this.#now = at;
    const account = this.#accounts.of(engine);
    account.foreign.heed(stats, account.inFlight + this.#peers.of(account.id).inFlight, at);
    if (stats === null) return;
    // Every process of the router hears the figures, so this loss is not told to the others.
    const verdict = account.cache.heedStats(stats, this.#accounts.fullness(account));
    if (verdict === 'lost') this.#accounts.clear(account);
    this.#accounts.resize(account);
  }

  override figures(): readonly StrategyFigure[] {
    return prefixFigures(this.#accounts, this.#index, this.#now);
  }

  #accountsOf(candidates: readonly Candidate[]): readonly (EngineAccount | undefined)[] {
    const accounts: (EngineAccount | undefined)[] = [];
    for (const { engine } of candidates) accounts.push(this.#accounts.get(engine.id));
    return accounts;
  }

  /** Blocks of the prompt that each account's engine is believed to hold, into `#matched`. */
  #match(names: Float64Array, accounts: readonly (EngineAccount | undefined)[]): void {
    if (this.#matched.length < accounts.length) {
      this.#matched = new Uint32Array(2 ** Math.ceil(Math.log2(accounts.length)));
    }
    this.#slots.length = 0;
    for (const account of accounts) this.#slots.push(account?.slot ?? this.#nobody);
    this.#index.match(names, this.#slots, this.#matched);
  }

  #pending(account: EngineAccount, now: number): number {
    const own = account.pending.at(now) + this.#peers.pending(account.id);
    return own + account.foreign.pending(now, own);
  }
}
