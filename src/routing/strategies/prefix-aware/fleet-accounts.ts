import { EngineAccount, baseModel } from '../../../core/cost/engine-account.js';
import { PaceGroup } from '../../../core/cost/pace-group.js';
import { TokenHabits } from '../../../core/cost/token-habits.js';
import type { Engine } from '../../../core/engine.js';
import type { PrefixIndex } from '../../../core/prefix/prefix-index.js';

/** As many as the discovery brings. */
const MOST_ENGINES = 10_000;
/** Models whose habits are kept; of more, the one longest without an answer is forgotten. */
const MOST_MODELS = 1_024;
/** Answers of a group between two looks at its middle; never fewer than its engines, which keeps the cost O(log n). */
const ANSWERS_BETWEEN = 16;
/** Engines that come within this time of the first one are its equals: each names its models when it answers. */
const FIRST_MS = 10_000;
/** Bytes in a block of the index. */
const BLOCK_BYTES = 256;

interface Group {
  readonly pace: PaceGroup;
  answers: number;
  engines: number;
}

const NO_HABITS = new TokenHabits();
const NO_GROUP = new PaceGroup();

/** What is reckoned and learned of each engine, each base model's engines together, and each model's requests. */
export class FleetAccounts {
  readonly #accounts = new Map<string, EngineAccount>();
  readonly #groups = new Map<string, Group>();
  readonly #habits = new Map<string, TokenHabits>();
  /** When the first engines of this fleet came, monotonic milliseconds; null before. */
  #firstAt: number | null = null;
  /** The engines of the fleet; null before it is known. */
  #fleet: ReadonlySet<string> | null = null;

  constructor(private readonly index: PrefixIndex) {}

  /** Undefined for an engine of which nothing is known. */
  get(engineId: string): EngineAccount | undefined {
    return this.#accounts.get(engineId);
  }

  /** Whether this is the account of an engine now; not of one before it with the same id. */
  has(account: EngineAccount): boolean {
    return this.#accounts.get(account.id) === account;
  }

  all(): Iterable<EngineAccount> {
    return this.#accounts.values();
  }

  /** The account of an engine, begun when there is none; of too many, the oldest one is dropped. */
  of({ id, url, models }: Engine, joinedAt: number | null = null): EngineAccount {
    let account = this.#accounts.get(id);
    if (!account) {
      const [oldest] = this.#accounts.keys();
      if (this.#accounts.size >= MOST_ENGINES && oldest !== undefined) this.#drop(oldest);
      account = this.#begin(id, url, joinedAt);
    }
    account.url = url;
    account.base = baseModel(models);
    return account;
  }

  /**
   * The account of an engine that another process tells of; null when it has left the fleet, or is not known here and
   * there is no room.
   */
  told(id: string): EngineAccount | null {
    const account = this.#accounts.get(id);
    if (account) return account;
    if (this.#fleet?.has(id) === false) return null;
    return this.#accounts.size < MOST_ENGINES ? this.#begin(id, id, null) : null;
  }

  /**
   * Forgets all engines but these, and begins accounts for new ones.
   * @param now monotonic milliseconds
   */
  retain(engines: readonly Engine[], now: number): void {
    const ids = new Set(engines.map(({ id }) => id));
    this.#fleet = ids;
    for (const id of this.#accounts.keys()) if (!ids.has(id)) this.#drop(id);
    // The first engines of a fleet are equals; one that joins them starts cold.
    if (this.#firstAt === null || this.#accounts.size === 0) this.#firstAt = now;
    const joinedAt = now - this.#firstAt < FIRST_MS ? null : now;
    for (const engine of engines.slice(0, MOST_ENGINES)) this.of(engine, joinedAt);
    const bases = new Set([...this.#accounts.values()].map(({ base }) => base));
    for (const base of this.#groups.keys()) if (!bases.has(base)) this.#groups.delete(base);
  }

  /** The engines that serve the same base model; one of which nothing is known while nothing is. */
  group(base: string): PaceGroup {
    return this.#groups.get(base)?.pace ?? NO_GROUP;
  }

  /** The account has learned from one more answer. */
  heard({ base }: EngineAccount): void {
    let group = this.#groups.get(base);
    if (!group) {
      const [oldest] = this.#groups.keys();
      if (this.#groups.size >= MOST_MODELS && oldest !== undefined) this.#groups.delete(oldest);
      this.#groups.set(base, (group = { pace: new PaceGroup(), answers: 0, engines: 0 }));
    }
    if (++group.answers < Math.max(ANSWERS_BETWEEN, group.engines)) return;
    const members = [...this.#accounts.values()].filter((account) => account.base === base);
    group.answers = 0;
    group.engines = this.#accounts.size;
    group.pace.refresh(members.map(({ pace }) => pace));
  }

  /** What requests of a model are like; what is usual while nothing is known. */
  habits(model: string): TokenHabits {
    return this.#habits.get(model) ?? NO_HABITS;
  }

  /** The same, to be added to. */
  learning(model: string): TokenHabits {
    const habits = this.#habits.get(model) ?? new TokenHabits();
    // With few models their order is of no use, and keeping it costs more than all the rest.
    if (this.#habits.size >= MOST_MODELS) this.#habits.delete(model);
    this.#habits.set(model, habits);
    const [oldest] = this.#habits.keys();
    if (this.#habits.size > MOST_MODELS && oldest !== undefined) this.#habits.delete(oldest);
    return habits;
  }

  /** Blocks of the index that the engine's cache holds; `Infinity` while it has not told. */
  capacityBlocks({ cache, base }: EngineAccount): number {
    const tokens = cache.capacityTokens;
    return tokens === null ? Infinity : Math.ceil((tokens * this.habits(base).bytesPerToken) / BLOCK_BYTES);
  }

  /** How full the engine's cache is believed to be, 0 to 1; 0 while its size is not known. */
  fullness(account: EngineAccount): number {
    return Math.min(this.index.holdings(account.slot) / this.capacityBlocks(account), 1);
  }

  /** Hands what is believed of the cache's size to the index. */
  resize(account: EngineAccount): void {
    const blocks = this.capacityBlocks(account);
    if (Number.isFinite(blocks)) this.index.setCapacity(account.slot, blocks);
  }

  /** The engine has lost its cache. */
  clear(account: EngineAccount): void {
    this.index.clear(account.slot);
    account.losses++;
    account.adapters.clear();
  }

  #begin(id: string, url: string, joinedAt: number | null): EngineAccount {
    const account = new EngineAccount(id, url, this.index.slotOf(id), joinedAt);
    this.#accounts.set(id, account);
    return account;
  }

  #drop(id: string): void {
    this.#accounts.delete(id);
    this.index.drop(id);
  }
}
