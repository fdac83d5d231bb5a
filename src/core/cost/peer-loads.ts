/** What another process of the router has under way on an engine. */
export interface PeerLoad {
  /** Uncached prompt tokens on their way to their first token. */
  readonly pending: number;
  readonly inFlight: number;
}

/** Engines that one process may tell of; the discovery brings no more. */
const MOST_ENGINES = 10_000;
/** Processes that may tell. */
const MOST_PEERS = 1_024;
const MOST = 1e12;
const NOTHING: PeerLoad = Object.freeze({ pending: 0, inFlight: 0 });

/**
 * What the other processes of the router have under way, by engine, as each told last. Bounds: 1,024 processes,
 * 10,000 engines each; engines with nothing under way are not kept.
 */
export class PeerLoads {
  readonly #peers = new Map<number, Map<string, PeerLoad>>();
  readonly #sums = new Map<string, PeerLoad>();

  /** Of all other processes. */
  of(engineId: string): PeerLoad {
    return this.#sums.get(engineId) ?? NOTHING;
  }

  /** Pending tokens of all other processes; the usual router has none, and this is asked for each engine. */
  pending(engineId: string): number {
    return this.#sums.size === 0 ? 0 : this.of(engineId).pending;
  }

  /** Replaces what `from` told of this engine; figures that make no sense count as nothing. */
  heed(from: number, engineId: string, told: PeerLoad): void {
    let peer = this.#peers.get(from);
    if (!peer) {
      if (this.#peers.size >= MOST_PEERS) return;
      this.#peers.set(from, (peer = new Map()));
    }
    const before = peer.get(engineId) ?? NOTHING;
    if (before === NOTHING && peer.size >= MOST_ENGINES) return;
    const load = { pending: sensible(told.pending), inFlight: sensible(told.inFlight) };
    if (load.pending > 0 || load.inFlight > 0) peer.set(engineId, load);
    else peer.delete(engineId);
    this.#sum(engineId);
  }

  /** The process is gone, and what it had under way with it. */
  forget(from: number): void {
    const peer = this.#peers.get(from);
    this.#peers.delete(from);
    for (const engineId of peer?.keys() ?? []) this.#sum(engineId);
  }

  /** Forgets engines that are not there any more. */
  retain(keep: (engineId: string) => boolean): void {
    for (const peer of this.#peers.values()) {
      for (const engineId of peer.keys()) if (!keep(engineId)) peer.delete(engineId);
    }
    for (const engineId of this.#sums.keys()) if (!keep(engineId)) this.#sums.delete(engineId);
  }

  /** Added up anew instead of by differences: no rounding error builds up. */
  #sum(engineId: string): void {
    let [pending, inFlight] = [0, 0];
    for (const peer of this.#peers.values()) {
      const load = peer.get(engineId);
      pending += load?.pending ?? 0;
      inFlight += load?.inFlight ?? 0;
    }
    if (pending > 0 || inFlight > 0) this.#sums.set(engineId, { pending, inFlight });
    else this.#sums.delete(engineId);
  }
}

function sensible(value: unknown): number {
  return typeof value === 'number' && value > 0 && value <= MOST ? value : 0;
}
