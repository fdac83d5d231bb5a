import type { EngineAccount } from '../../../core/cost/engine-account.js';
import type { PeerLoads } from '../../../core/cost/peer-loads.js';
import type { PrefixIndex } from '../../../core/prefix/prefix-index.js';
import type { StrategyShare } from '../../routing-strategy.js';
import type { FleetAccounts } from './fleet-accounts.js';
import { PromptNews, readPrompts } from './told-prompts.js';

/** One engine in a batch: its id, pending tokens, requests in flight, and uncached tokens sent since the last batch. */
type ToldLoad = readonly [engineId: string, pending: number, inFlight: number, sent: number];

const MOST_LOADS = 10_000;

/**
 * What the processes of one router tell each other, so that they decide as one: the prompts that they put into
 * their prefix indexes, and what each has under way on each engine. What they have learned of engines and models
 * is each process's own: it comes to the same.
 *
 * Bounds: `PromptNews`, and the engines.
 */
export class PrefixShare implements StrategyShare {
  readonly #prompts = new PromptNews();
  #changed: EngineAccount[] = [];
  /** Pending tokens, as told last, of engines where they go down without an event: prompts that are reckoned. */
  readonly #waning = new Map<EngineAccount, number>();

  /** @param now the latest time that was heard, monotonic milliseconds */
  constructor(
    private readonly accounts: FleetAccounts,
    private readonly index: PrefixIndex,
    private readonly peers: PeerLoads,
    private readonly now: () => number,
  ) {}

  /** What is under way on the engine has changed. */
  changed(account: EngineAccount): void {
    // What ends on an engine that has left says nothing of one that has come in its place under the same id.
    if (account.untold || this.#changed.length >= MOST_LOADS || !this.accounts.has(account)) return;
    account.untold = true;
    this.#changed.push(account);
  }

  inserted({ id }: EngineAccount, names: Float64Array): void {
    this.#prompts.add(id, names);
  }

  cleared({ id }: EngineAccount): void {
    this.#prompts.clear(id);
  }

  take(): unknown {
    const now = this.now();
    this.#heedWaning(now);
    const prompts = this.#prompts.take();
    if (prompts === null && this.#changed.length === 0) return null;
    const changed = this.#changed.filter((account) => this.accounts.has(account));
    const loads = changed.map((account): ToldLoad => {
      account.untold = false;
      const pending = account.pending.at(now);
      if (account.pending.wanes) this.#waning.set(account, pending);
      return [account.id, pending, account.inFlight, account.intake.takeUntold()];
    });
    this.#changed = [];
    return { prompts, loads };
  }

  heed(from: number, news: unknown): void {
    if (typeof news !== 'object' || news === null) return;
    const { prompts, loads } = news as { prompts?: unknown; loads?: unknown };
    readPrompts(
      prompts,
      (id, names) => {
        const account = this.accounts.told(id);
        if (account) this.index.insert(account.slot, names);
      },
      (id) => {
        const account = this.accounts.get(id);
        if (account) this.accounts.clear(account);
      },
    );
    if (!Array.isArray(loads)) return;
    for (const load of loads.slice(0, MOST_LOADS) as unknown[]) {
      if (!Array.isArray(load) || typeof load[0] !== 'string') continue;
      const [id, pending, inFlight, sent] = load as unknown as ToldLoad;
      const account = this.accounts.told(id);
      if (account === null) continue;
      this.peers.heed(from, id, { pending, inFlight });
      account.intake.heed(sent, this.now());
      this.#load(account);
    }
  }

  forget(from: number): void {
    this.peers.forget(from);
    for (const account of this.accounts.all()) this.#load(account);
  }

  #heedWaning(now: number): void {
    for (const [account, told] of this.#waning) {
      if (this.accounts.has(account) && account.pending.at(now) === told) continue;
      this.#waning.delete(account);
      this.changed(account);
    }
  }

  #load(account: EngineAccount): void {
    account.load.set(account.inFlight + this.peers.of(account.id).inFlight, this.now());
  }
}
