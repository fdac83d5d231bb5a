import type { IncomingHttpHeaders } from 'node:http';
import { type CutPhase, cutAt, type Fault, parseFault, parseRequestFault } from './fault.js';

/** The fault of an engine, and how many requests it may still meet. */
export class ActiveFault {
  private left = Infinity;
  current: Fault | null = null;
  /** Set once the engine was told to end: what still comes on an open connection is refused, probes are not. */
  terminated = false;

  /** Throws when the fault is not one. */
  set(fault: Fault | null): void {
    this.current = fault === null ? null : parseFault(fault);
    this.left = fault?.times ?? Infinity;
  }

  /** The cut of a phase that comes before there is a request, if the fault asks for one. */
  cutEarly(phase: CutPhase): 'reset' | 'fin' | 'hang' | null {
    const how = cutAt(this.current, phase);
    return how !== null && this.take() ? how : null;
  }

  /** The fault that a request meets: that of its `x-sim-fault` header, which throws when it is none, or ours. */
  forRequest(headers: IncomingHttpHeaders, pathname: string, probe: boolean): Fault | null {
    if (this.terminated) return probe ? null : { draining: true };
    const header = headers['x-sim-fault'];
    if (typeof header === 'string') return parseRequestFault(JSON.parse(header));
    const fault = this.current;
    if (fault === null || cutAt(fault, 'accept') !== null) return null;
    const on = fault.on ?? 'requests';
    const isMeant = on === 'all' || (on === 'requests' ? !probe : on === pathname);
    return isMeant && this.take() ? fault : null;
  }

  private take(): boolean {
    if (this.left <= 0) return false;
    this.left -= 1;
    return true;
  }
}
