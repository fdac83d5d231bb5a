/** A request's place in the engine; `leave` is called once it needs none any more, more often is harmless. */
export interface SlotTicket {
  leave(): void;
}

interface Place {
  start: () => void;
  state: 'waiting' | 'running' | 'left';
}

/** Running slots with a FIFO queue before them, as vLLM's scheduler under `--max-num-seqs`. */
export class EngineSlots {
  private readonly queue = new Set<Place>();
  private held = false;
  running = 0;

  constructor(private readonly limit: number) {}

  get waiting(): number {
    return this.queue.size;
  }

  /** Calls `start` as soon as a slot is free, which may be at once. */
  enter(start: () => void): SlotTicket {
    const place: Place = { start, state: 'waiting' };
    this.queue.add(place);
    this.fill();
    return {
      leave: () => {
        if (place.state === 'running') this.running -= 1;
        else this.queue.delete(place);
        if (place.state === 'left') return;
        place.state = 'left';
        this.fill();
      },
    };
  }

  /** Nothing is started until `release`. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.fill();
  }

  private fill(): void {
    while (!this.held && this.running < this.limit) {
      const [place] = this.queue;
      if (place === undefined) return;
      this.queue.delete(place);
      place.state = 'running';
      this.running += 1;
      place.start();
    }
  }
}
