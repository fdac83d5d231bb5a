import { EngineModel, type EngineModelOptions, type StepSink } from '../model/engine-model.js';
import type { EngineProfile } from '../model/engine-profile.js';
import type { Sequence } from '../model/sequence.js';
import type { VirtualRequest } from './virtual-request.js';

/** What a chooser may look at: the engine as it is at this moment, not as its last metrics said. */
export interface EngineView {
  readonly index: number;
  /** Requests sent to it that have not ended. */
  readonly inFlight: number;
  readonly model: Omit<EngineModel, 'submit' | 'abort' | 'end' | 'beginStep' | 'endStep'>;
}

/** Who hears what becomes of an engine's requests. */
export interface VirtualEngineListener {
  firstToken(engine: VirtualEngine, request: VirtualRequest): void;
  /** The last token came. */
  ended(engine: VirtualEngine, request: VirtualRequest, sequence: Sequence): void;
}

/** One engine in simulated time. It holds the requests that were sent to it and have not ended. */
export class VirtualEngine implements EngineView {
  readonly index: number;
  readonly model: EngineModel;
  /** When the step under way ends, seconds; Infinity when there is none. */
  nextEnd = Infinity;
  readonly #requests = new Map<Sequence, VirtualRequest>();
  readonly #sink: StepSink;

  constructor(
    index: number,
    profile: EngineProfile,
    options: EngineModelOptions,
    listener: VirtualEngineListener,
  ) {
    this.index = index;
    this.model = new EngineModel(profile, options);
    this.#sink = {
      token: (sequence) => {
        if (sequence.generated > 1) return;
        const request = this.#requests.get(sequence);
        if (request) listener.firstToken(this, request);
      },
      finished: (sequence) => {
        const request = this.#requests.get(sequence);
        this.#requests.delete(sequence);
        if (request) listener.ended(this, request, sequence);
      },
    };
  }

  get inFlight(): number {
    return this.#requests.size;
  }

  /** Requests that have not ended, with their sequences. */
  get open(): Iterable<[Sequence, VirtualRequest]> {
    return this.#requests;
  }

  /** Takes a request in at its arrival; null, or why it does not. */
  take(request: VirtualRequest): 'queue_full' | 'too_long' | null {
    if (request.spec.promptTokens.length > this.model.capacity) return 'too_long';
    const sequence = this.model.submit(request.spec, request.arrival);
    if (sequence === 'queue_full') return sequence;
    this.#requests.set(sequence, request);
    if (this.nextEnd === Infinity) this.#begin(request.arrival);
    return null;
  }

  /** Ends the step under way, at its time, and begins the next one. */
  step(): void {
    const now = this.nextEnd;
    this.model.endStep(now, this.#sink);
    this.#begin(now);
  }

  #begin(now: number): void {
    const step = this.model.beginStep(now);
    this.nextEnd = step ? now + step.seconds : Infinity;
  }
}
