import { causeOfError, isTimeout, type AttemptCause } from '../core/attempt-failure.js';
import type { AttemptOutcome, TokenUsage } from '../core/attempt-event.js';
import { isRetryableStatus, type Verdict } from '../core/commit.js';
import type { Engine } from '../core/engine.js';
import { brokenOff, RouterError } from '../core/errors.js';
import type { RawHeaders } from '../core/headers.js';
import { tokenUsage } from '../core/token-usage.js';
import {
  type AnswerHandler,
  type AnswerPiece,
  UnsendableRequest,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamRequest,
} from '../upstream/upstream-client.js';
import { HeldAnswer } from './held-answer.js';
import type { AttemptOwner, AttemptPhase } from './attempt-owner.js';
import type { KeptAnswer } from './kept-answer.js';
import { RelayCut } from './relay-cut.js';
import type { RelayTarget } from './relay-target.js';

/** Begins a comment in a stream of server-sent events. */
const COLON = 0x3a;

/**
 * One try of a request on one engine: sends the original bytes, holds the answer back until it is sure to be one,
 * then relays it. It hears the engine's connection itself, so bytes go from the engine's socket to the client's in
 * one call.
 */
export class Attempt implements AnswerHandler {
  phase: AttemptPhase = 'connecting';
  /** HTTP status of the engine's answer. */
  status: number | null = null;
  usage: TokenUsage | null = null;
  readonly startedAt = performance.now();
  /** When the engine last sent something. */
  lastByteAt = this.startedAt;
  /** When it last sent something that it had computed; -Infinity before. */
  progressAt = -Infinity;
  /** The client reads slower than the engine sends: silence is not the engine's. */
  paused = false;
  /** That has been so at some time. */
  heldUp = false;
  /** The answer is a stream of server-sent events. */
  streams = false;
  /** Pieces of a stream that were relayed. */
  pieces = 0;
  /** Why the answer that goes to the client is none that a well engine gives; null: it is one. */
  fault: AttemptCause | null = null;

  /** How its engine was chosen, for a client that has asked. */
  explanation: string | null = null;

  #exchange: UpstreamExchange | null = null;
  #headers: RawHeaders = [];
  #statusText = '';
  #held: HeldAnswer | null = null;
  #relay: RelayCut | null = null;

  constructor(
    readonly engine: Engine,
    /** 1 for the request's first attempt. */
    readonly number: number,
    private readonly client: UpstreamClient,
    private readonly request: UpstreamRequest,
    private readonly answer: RelayTarget,
    private readonly owner: AttemptOwner<Attempt>,
    /** Keeps the answer for those who want its text; null when nobody does. */
    private kept: KeptAnswer | null,
  ) {}

  start(): void {
    this.#send(false);
  }

  /** There is a connection to the engine, or there was one. */
  get connected(): boolean {
    return this.#exchange?.connected ?? false;
  }

  /** The generated text, once, when the attempt is over; null when it is not known. */
  answerText(outcome: AttemptOutcome): string | null {
    return this.kept?.text(this.answer.shape, this.streams, outcome) ?? null;
  }

  /** Gives up for a reason of the router's own: a timeout, an engine that is found dead, the end of the router. */
  fail(cause: AttemptCause): void {
    if (this.phase === 'over') return;
    this.#exchange?.close();
    this.#failed(cause);
  }

  /** The client has gone, or another attempt answers it: the engine's socket is closed, which makes it stop generating. */
  leave(outcome: 'client_left' | 'hedged_away' = 'client_left'): void {
    if (this.phase === 'over') return;
    this.#exchange?.close();
    this.#finish(outcome, null);
  }

  /** Another engine goes on with what this one has begun. */
  handOver(cause: AttemptCause): void {
    this.#exchange?.close();
    this.#finish('failed', cause);
  }

  head(status: number, statusText: string, headers: string[]): void {
    this.lastByteAt = performance.now();
    this.phase = 'holding';
    this.status = status;
    this.#statusText = statusText;
    this.#headers = headers;
    this.#held = new HeldAnswer(this.request.method, status, headers, this.answer.shape);
    this.streams = this.#held.mode === 'frames';
    if (this.#held.mode === 'pass') this.kept = null;
  }

  body(piece: AnswerPiece): void {
    const now = performance.now();
    const gap = now - this.lastByteAt;
    this.lastByteAt = now;
    // vLLM's API server sends errors and keep-alive comments by itself, whatever its core does.
    if (piece.bytes[0] !== COLON && this.status! < 400) this.progressAt = now;
    if (this.phase === 'relaying') {
      if (this.streams) {
        this.pieces++;
        this.owner.interToken(gap / 1_000);
      }
      this.kept?.add(piece.bytes);
      this.#pass(piece);
      return;
    }
    const verdict = this.#held!.add(piece.bytes);
    if (verdict.kind !== 'wait' && !this.#turnsDown(verdict)) this.#commit();
  }

  ended(): void {
    let ending: Buffer;
    if (this.phase === 'holding') {
      const held = this.#held!;
      if (this.#turnsDown(held.end())) return;
      ending = held.bytes();
      this.kept?.add(ending);
      this.#commitHead();
      this.answer.end(ending);
    } else {
      ending = this.#relay!.ending();
      this.answer.end(this.#relay!.rest());
    }
    this.usage = tokenUsage(ending);
    this.#finish((this.status ?? 0) < 400 ? 'done' : 'engine_error', null);
  }

  failed(error: Error, stale: boolean): void {
    if (stale) {
      // Nothing was answered, so sending again on a fresh connection is safe and is no new attempt.
      this.owner.resent();
      this.#send(true);
    } else if (error instanceof UnsendableRequest) this.#unsendable(error);
    else this.#failed(causeOfError(error));
  }

  #send(fresh: boolean): void {
    try {
      this.#exchange = this.client.send(this.request, this, fresh);
    } catch (error) {
      if (!(error instanceof UnsendableRequest)) throw error;
      this.#unsendable(error);
    }
  }

  /** Something in the request itself cannot be put on the wire; no engine is to blame. */
  #unsendable(error: UnsendableRequest): void {
    if (!this.owner.racing)
      this.answer.error(new RouterError(400, 'invalid_request', `Invalid request: ${error.message}.`));
    this.#finish('engine_error', null);
  }

  /** Ends this attempt in favour of another engine, where there is one to try. */
  #turnsDown(verdict: Verdict): boolean {
    if (verdict.kind !== 'fail') return false;
    if (!this.owner.triesAnother(verdict.cause, true)) {
      this.fault = verdict.cause;
      return false;
    }
    this.handOver(verdict.cause);
    return true;
  }

  #commitHead(): void {
    this.phase = 'relaying';
    // One that was too large to be judged.
    if (this.fault === null && isRetryableStatus(this.status ?? 0)) this.fault = 'http_5xx';
    this.owner.committed(this);
    this.answer.head(this.status ?? 502, this.#statusText, this.#headers, this.streams);
  }

  #commit(): void {
    const held = this.#held!.bytes();
    this.#held = null;
    this.kept?.add(held);
    if (this.streams) this.pieces++;
    this.#relay = new RelayCut(this.streams);
    this.#commitHead();
    this.#write(this.#relay.next(held));
  }

  #pass(piece: AnswerPiece): void {
    const relay = this.#relay!;
    const { framed } = piece;
    if (framed !== null && this.answer.framing && relay.takesWhole(piece))
      this.#heed(this.answer.writeFramed(framed));
    else this.#write(relay.next(piece.bytes));
  }

  #write(bytes: Buffer | null): void {
    if (bytes !== null) this.#heed(this.answer.write(bytes));
  }

  /** @param room the client takes more at once */
  #heed(room: boolean): void {
    if (room || this.paused) return;
    this.paused = this.heldUp = true;
    this.#exchange?.pause();
    this.answer.onceDrained(() => this.#resume());
  }

  #resume(): void {
    this.paused = false;
    this.lastByteAt = performance.now();
    this.#exchange?.resume();
  }

  #failed(cause: AttemptCause): void {
    if (this.phase === 'relaying') {
      const inside = this.#relay?.insideFrame ?? false;
      const goesOn = !inside && this.owner.goesOn(cause);
      if (!goesOn) this.answer.breakOff(brokenOff(cause, isTimeout(cause)), inside);
      // Else the exchange decides afterwards, in one place, what the client hears: the begin of an answer is none.
    } else this.owner.triesAnother(cause, false);
    this.#finish(isTimeout(cause) ? 'timeout' : 'failed', cause);
  }

  #finish(outcome: AttemptOutcome, cause: AttemptCause | null): void {
    this.phase = 'over';
    this.#held = null;
    this.#relay = null;
    this.owner.finished(this, outcome, cause);
  }
}
