import { connect } from 'node:net';
import type { Engine } from '../core/engine.js';

/** Time between two probes of one engine, milliseconds. */
const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 2_000;
/** An engine that nobody suspects any more is forgotten after this time, milliseconds. */
const FORGET_MS = 5_000;

interface Suspect {
  engine: Engine;
  lastProbe: number;
  lastSuspected: number;
  refusals: number;
  probing: boolean;
}

/**
 * Asks the ports of suspected engines whether anybody listens, at most once a second each, by a TCP
 * connection that is closed at once. Two refusals in a row, a second apart, mean that the engine is gone.
 */
export class PortProbe {
  /** Bounded by the engines with requests in flight. */
  readonly #suspects = new Map<string, Suspect>();
  #stopped = false;

  constructor(private readonly onDead: (engine: Engine) => void) {}

  /** Called on every sweep in which the engine is silent; `now` in monotonic milliseconds. */
  suspect(engine: Engine, now: number): void {
    let suspect = this.#suspects.get(engine.id);
    if (suspect === undefined || now - suspect.lastSuspected > FORGET_MS) {
      suspect = { engine, lastProbe: -Infinity, lastSuspected: now, refusals: 0, probing: false };
      this.#suspects.set(engine.id, suspect);
      this.#forgetOld(now);
    }
    suspect.lastSuspected = now;
    if (this.#stopped || suspect.probing || now - suspect.lastProbe < INTERVAL_MS) return;
    suspect.lastProbe = now;
    this.#ask(suspect);
  }

  stop(): void {
    this.#stopped = true;
    this.#suspects.clear();
  }

  #forgetOld(now: number): void {
    for (const [id, { lastSuspected }] of this.#suspects) {
      if (now - lastSuspected > FORGET_MS) this.#suspects.delete(id);
    }
  }

  #ask(suspect: Suspect): void {
    const { hostname, port, protocol } = new URL(suspect.engine.url);
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      timeout: TIMEOUT_MS,
    });
    suspect.probing = true;
    const answered = (refused: boolean): void => {
      socket.destroy();
      suspect.probing = false;
      suspect.refusals = refused ? suspect.refusals + 1 : 0;
      if (suspect.refusals < 2) return;
      this.#suspects.delete(suspect.engine.id);
      if (!this.#stopped) this.onDead(suspect.engine);
    };
    socket.once('connect', () => answered(false));
    socket.once('timeout', () => answered(false));
    socket.once('error', (error: NodeJS.ErrnoException) => answered(error.code === 'ECONNREFUSED'));
    socket.unref();
  }
}
