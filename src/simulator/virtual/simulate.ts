import type { EngineModelOptions } from '../model/engine-model.js';
import type { EngineProfile } from '../model/engine-profile.js';
import type { Sequence } from '../model/sequence.js';
import { ArrivalHeap } from './arrival-heap.js';
import { type EngineView, VirtualEngine } from './virtual-engine.js';
import type { VirtualOutcome, VirtualRequest, VirtualResult } from './virtual-request.js';

export interface VirtualSetup {
  /** One profile for each engine; at least one. */
  readonly engines: readonly EngineProfile[];
  readonly model?: EngineModelOptions;
  /** In order of arrival. */
  readonly arrivals: Iterable<VirtualRequest>;
  /** Index of the engine for a request that arrives now; null turns it away. */
  readonly choose: (request: VirtualRequest, engines: readonly EngineView[]) => number | null;
  /**
   * Hears of each result as it comes, and may name a request that follows from it, at that time or later: the
   * next turn of a conversation, the next request of a client in a closed loop.
   */
  readonly follow?: (result: VirtualResult, now: number) => VirtualRequest | null;
  /** Hears of each first token as it comes, before the end of a request that has only one. */
  readonly firstToken?: (request: VirtualRequest, engineIndex: number, now: number) => void;
  /** What is done again and again, before all else of its moment: the look at metrics, the exchange of news. */
  readonly ticks?: readonly Tick[];
  /** Seconds after which the simulation is over, whatever is left; without end by default. */
  readonly until?: number;
}

export interface Tick {
  /** Time between two of them, and until the first; above 0. Infinity: never. */
  readonly seconds: number;
  readonly run: (now: number, engines: readonly EngineView[]) => void;
}

export interface VirtualRun {
  /** One for each request that arrived, in the order in which they ended. */
  readonly results: readonly VirtualResult[];
  readonly engines: readonly EngineView[];
  /** Time of the last event. */
  readonly seconds: number;
}

/**
 * Replays requests on engines in simulated time, from event to event: arrivals, and ends of steps. The same
 * setup gives the same run. When two events fall together steps end before a request arrives, engines in their
 * order.
 *
 * @throws RangeError for arrivals that go back in time, no engines, or an engine that does not exist
 */
export function simulate(setup: VirtualSetup): VirtualRun {
  return new Simulation(setup).run();
}

/** Holds a result for each request that arrived, and what `follow` named that has not arrived. */
class Simulation {
  readonly #setup: VirtualSetup;
  readonly #engines: readonly VirtualEngine[];
  readonly #results: VirtualResult[] = [];
  readonly #following = new ArrivalHeap();
  readonly #arrivals: Iterator<VirtualRequest>;
  /** When each tick is due, and the first of them. */
  readonly #due: number[];
  #nextTick: number;
  #next: VirtualRequest | undefined;
  #now = 0;

  constructor(setup: VirtualSetup) {
    this.#setup = setup;
    if (setup.engines.length === 0) throw new RangeError('there is no engine');
    this.#engines = setup.engines.map(
      (profile, index) =>
        new VirtualEngine(index, profile, setup.model ?? {}, {
          firstToken: (engine, request) => setup.firstToken?.(request, engine.index, this.#now),
          ended: (engine, request, sequence) => this.#report(request, 'finished', engine, sequence),
        }),
    );
    this.#due = (setup.ticks ?? []).map(({ seconds }) => seconds);
    const never = this.#due.find((seconds) => !(seconds > 0));
    if (never !== undefined) throw new RangeError(`a tick of ${never} s is not above 0`);
    this.#nextTick = Math.min(Infinity, ...this.#due);
    this.#arrivals = setup.arrivals[Symbol.iterator]();
    this.#advance();
  }

  run(): VirtualRun {
    const until = this.#setup.until ?? Infinity;
    for (;;) {
      const engine = this.#earliest();
      const arrival = this.#nextArrival();
      const at = Math.min(engine.nextEnd, arrival);
      if (at === Infinity || at > until) break;
      if (this.#nextTick <= at) this.#tick(at);
      this.#now = at;
      if (engine.nextEnd <= arrival) engine.step();
      else this.#arrive(this.#takeArrival());
    }
    if (until !== Infinity) this.#now = until;
    for (const engine of this.#engines) {
      for (const [sequence, request] of engine.open) this.#report(request, 'unfinished', engine, sequence);
    }
    return { results: this.#results, engines: this.#engines, seconds: this.#now };
  }

  /** Runs the ticks that are due until `at`, each at its time. */
  #tick(at: number): void {
    const { ticks = [] } = this.#setup;
    for (; this.#nextTick <= at; this.#nextTick = Math.min(...this.#due)) {
      this.#now = this.#nextTick;
      ticks.forEach(({ seconds, run }, index) => {
        if (this.#due[index] !== this.#now) return;
        this.#due[index] = this.#now + seconds;
        run(this.#now, this.#engines);
      });
    }
  }

  #earliest(): VirtualEngine {
    let first = this.#engines[0] as VirtualEngine;
    for (const engine of this.#engines) if (engine.nextEnd < first.nextEnd) first = engine;
    return first;
  }

  #nextArrival(): number {
    return Math.min(this.#next?.arrival ?? Infinity, this.#following.first?.arrival ?? Infinity);
  }

  #takeArrival(): VirtualRequest {
    const following = this.#following.first;
    const next = this.#next;
    if (following && (!next || following.arrival < next.arrival)) {
      return this.#following.take() as VirtualRequest;
    }
    this.#advance();
    return next as VirtualRequest;
  }

  #advance(): void {
    const before = this.#next?.arrival ?? 0;
    const { done, value } = this.#arrivals.next();
    this.#next = done ? undefined : value;
    if (!done && !(value.arrival >= before)) {
      throw new RangeError(`request ${value.id} arrives at ${value.arrival} s, before ${before} s`);
    }
  }

  #arrive(request: VirtualRequest): void {
    const index = this.#setup.choose(request, this.#engines);
    if (index === null) {
      this.#report(request, 'turned_away', null, null);
      return;
    }
    const engine = this.#engines[index];
    if (!engine) throw new RangeError(`there is no engine ${index}`);
    const refusal = engine.take(request);
    if (refusal) this.#report(request, refusal, engine, null);
  }

  #report(
    request: VirtualRequest,
    outcome: VirtualOutcome,
    engine: VirtualEngine | null,
    sequence: Sequence | null,
  ): void {
    const result: VirtualResult = {
      request,
      outcome,
      engine: engine?.index ?? null,
      firstToken: sequence?.firstTokenAt ?? null,
      end: this.#now,
      tokens: sequence?.generated ?? 0,
      cachedTokens: sequence?.cachedTokens ?? 0,
      preemptions: sequence?.preemptions ?? 0,
    };
    this.#results.push(result);
    if (outcome === 'unfinished') return;
    const following = this.#setup.follow?.(result, this.#now);
    if (!following) return;
    if (!(following.arrival >= this.#now)) {
      throw new RangeError(
        `request ${following.id} arrives at ${following.arrival} s, before ${this.#now} s`,
      );
    }
    this.#following.add(following);
  }
}
