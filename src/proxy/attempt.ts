import type { Dispatcher } from 'undici';
import { causeOfError, isTimeout, type AttemptCause } from '../core/attempt-failure.js';
import type { AttemptOutcome, TokenUsage } from '../core/attempt-event.js';
import type { Verdict } from '../core/commit.js';
import type { Engine } from '../core/engine.js';
import { brokenOff, RouterError } from '../core/errors.js';
import type { RawHeaders } from '../core/headers.js';
import { tokenUsage } from '../core/token-usage.js';
import type { Connection, ConnectionPool } from '../upstream/connection-pool.js';
import type { ClientAnswer } from './client-answer.js';
import { HeldAnswer } from './held-answer.js';
import { RelayCut } from './relay-cut.js';

/** What an attempt asks of and tells the exchange it belongs to. */
export interface AttemptOwner {
  /**
   * Whether another engine is to be tried after a failure that came before commit.
   * @param answered the engine has sent part of a body, which the client could be given
   */
  triesAnother(cause: AttemptCause, answered: boolean): boolean;
  committed(attempt: Attempt): void;
  /** Called per relayed piece of a stream; `seconds` since the piece before. */
  interToken(seconds: number): void;
  resent(): void;
  finished(attempt: Attempt, outcome: AttemptOutcome, cause: AttemptCause | null): void;
}

/** `connecting`: no head yet. `holding`: a head, not committed. `relaying`: committed. */
export type AttemptPhase = 'connecting' | 'holding' | 'relaying' | 'over';

/**
 * One try of a request on one engine: sends the original bytes, holds the answer back until it is sure
 * to be one (design: commit), then relays it. It is the handler of undici's dispatch, so bytes go from
 * the engine's socket to the client's in one call.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  phase: AttemptPhase = 'connecting';
  /** HTTP status of the engine's answer. */
  status: number | null = null;
  usage: TokenUsage | null = null;
  readonly startedAt = performance.now();
  /** When the engine last sent something. */
  lastByteAt = this.startedAt;
  /** The client reads slower than the engine sends: silence is not the engine's. */
  paused = false;

  #connection: Connection;
  #controller: Dispatcher.DispatchController | null = null;
  #bytesBefore = 0;
  #headers: RawHeaders = [];
  #statusText = '';
  #held: HeldAnswer | null = null;
  #relay: RelayCut | null = null;
  #streams = false;
  /** The connection is given back or closed; what undici still reports of it is not news. */
  #parted = false;

  constructor(
    readonly engine: Engine,
    private readonly pool: ConnectionPool,
    private readonly request: Dispatcher.DispatchOptions,
    private readonly answer: ClientAnswer,
    private readonly owner: AttemptOwner,
  ) {
    this.#connection = pool.acquire(false);
  }

  /** The answer is a stream of server-sent events. */
  get streams(): boolean {
    return this.#streams;
  }

  start(): void {
    this.#bytesBefore = this.#connection.bytesRead;
    this.#connection.dispatch(this.request, this);
  }

  /** Gives up for a reason of the router's own: a timeout, an engine that is found dead, the end of the router. */
  fail(cause: AttemptCause): void {
    if (this.phase === 'over') return;
    this.#drop();
    this.#failed(cause);
  }

  /** The client has gone: the engine's socket is closed, which makes it stop generating. */
  leave(): void {
    if (this.phase === 'over') return;
    this.#drop();
    this.#finish('client_left', null);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    // Informational answers precede the real one.
    if (this.phase === 'over' || status < 200) return;
    this.lastByteAt = performance.now();
    this.phase = 'holding';
    this.status = status;
    this.#statusText = statusText ?? '';
    this.#headers = (controller.rawHeaders as (Buffer | string)[]).map((part) =>
      typeof part === 'string' ? part : part.toString('latin1'),
    );
    this.#held = new HeldAnswer(this.request.method, status, this.#headers, this.answer.shape);
    this.#streams = this.#held.mode === 'frames';
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.phase === 'over') return;
    const now = performance.now();
    const gap = now - this.lastByteAt;
    this.lastByteAt = now;
    if (this.phase === 'relaying') {
      if (this.#streams) this.owner.interToken(gap / 1_000);
      this.#pass(chunk, controller);
      return;
    }
    const verdict = this.#held!.add(chunk);
    if (verdict.kind !== 'wait' && !this.#turnsDown(verdict)) this.#commit(controller);
  }

  onResponseEnd(): void {
    if (this.phase === 'over') return;
    this.#parted = true;
    this.pool.release(this.#connection);
    let ending: Buffer;
    if (this.phase === 'holding') {
      const held = this.#held!;
      if (this.#turnsDown(held.end())) return;
      ending = held.bytes();
      this.#commitHead();
      this.answer.end(ending);
    } else {
      ending = this.#relay!.ending();
      this.answer.end(this.#relay!.rest());
    }
    this.usage = tokenUsage(ending);
    this.#finish((this.status ?? 0) < 400 ? 'done' : 'engine_error', null);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.phase === 'over' || this.#parted) return;
    if (this.#resendable(error)) {
      this.#resend();
      return;
    }
    const { code } = error as { code?: unknown };
    if (this.phase === 'connecting' && (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')) {
      // Something in the request itself cannot be put on the wire; no engine is to blame.
      this.#drop();
      this.answer.error(new RouterError(400, 'invalid_request', `Invalid request: ${error.message}.`));
      this.#finish('engine_error', null);
      return;
    }
    this.#drop();
    this.#failed(causeOfError(error));
  }

  /**
   * A connection that has served before may be closing at the engine while the request is on its way
   * (vLLM closes after 5 s idle). Nothing was answered, so sending again on a fresh one is safe and is
   * no new attempt.
   */
  #resendable(error: Error): boolean {
    return (
      this.phase === 'connecting' &&
      // Asked now: the second connection is a fresh one, as is one that undici opened in place of a closed one.
      this.#connection.reused &&
      causeOfError(error) === 'reset' &&
      this.#connection.bytesRead <= this.#bytesBefore
    );
  }

  #resend(): void {
    this.owner.resent();
    this.#connection.destroy();
    this.#controller = null;
    this.#connection = this.pool.acquire(true);
    this.start();
  }

  /** Ends this attempt in favour of another engine, where there is one to try. */
  #turnsDown(verdict: Verdict): boolean {
    if (verdict.kind !== 'fail' || !this.owner.triesAnother(verdict.cause, true)) return false;
    this.#drop();
    this.#finish('failed', verdict.cause);
    return true;
  }

  #commitHead(): void {
    this.phase = 'relaying';
    this.answer.head(this.status ?? 502, this.#statusText, this.#headers, this.#streams);
    this.owner.committed(this);
  }

  #commit(controller: Dispatcher.DispatchController): void {
    this.#relay = new RelayCut(this.#streams);
    this.#commitHead();
    this.answer.onDrain(() => {
      this.paused = false;
      this.lastByteAt = performance.now();
      controller.resume();
    });
    this.#pass(this.#held!.bytes(), controller);
    this.#held = null;
  }

  #pass(chunk: Buffer, controller: Dispatcher.DispatchController): void {
    const bytes = this.#relay!.next(chunk);
    if (bytes === null || this.answer.write(bytes)) return;
    this.paused = true;
    controller.pause();
  }

  #drop(): void {
    if (this.#parted) return;
    this.#parted = true;
    this.#controller?.abort(new Error('attempt over'));
    this.#connection.destroy();
  }

  #failed(cause: AttemptCause): void {
    if (this.phase === 'relaying') {
      this.answer.breakOff(brokenOff(cause, isTimeout(cause)), this.#relay?.insideFrame ?? false);
    } else {
      // The exchange decides afterwards, in one place, what the client hears.
      // A head alone is no answer: vLLM sends a stream's head before it has scheduled anything.
      this.owner.triesAnother(cause, (this.#held?.length ?? 0) > 0);
    }
    this.#finish(isTimeout(cause) ? 'timeout' : 'failed', cause);
  }

  #finish(outcome: AttemptOutcome, cause: AttemptCause | null): void {
    this.phase = 'over';
    this.#held = null;
    this.#relay = null;
    this.owner.finished(this, outcome, cause);
  }
}
