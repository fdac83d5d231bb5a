import type { TokenUsage } from '../core/attempt-event.js';
import { endsRequest, isTimeout, type AttemptCause } from '../core/attempt-failure.js';
import { wantsUsage, whyNotContinuable } from '../core/continuation/continuable-request.js';
import { ContinuedFrames, endingOf } from '../core/continuation/continued-frames.js';
import { inBandBreak } from '../core/continuation/in-band-break.js';
import { countsRequest, nextRequest } from '../core/continuation/next-request.js';
import type { TextShape } from '../core/continuation/stream-frame.js';
import { type ContinuationMemory, TextSoFar } from '../core/continuation/text-so-far.js';
import { brokenOff, type RouterError } from '../core/errors.js';
import type { RawHeaders } from '../core/headers.js';
import type { RequestFacts } from '../core/request-facts.js';
import { jsonObject } from '../core/request-reader.js';
import type { RouterMetrics } from '../metrics/router-metrics.js';
import type { BodyMemory } from './body-memory.js';
import type { ClientAnswer } from './client-answer.js';
import type { FailureLog } from './failure-log.js';
import type { RelayTarget } from './relay-target.js';
import { RequestBody } from './request-body.js';

/** What a stream that broke off asks of its exchange. */
export interface ContinuationOwner {
  /** Whether there is an engine to go on at, which is then the next one. */
  triesAnother(cause: AttemptCause, answered: boolean): boolean;
  /** The one whose engine sends now. */
  readonly attempt: { handOver(cause: AttemptCause): void } | null;
}

/** What all streams share. */
export interface ContinuationParts {
  readonly memory: ContinuationMemory;
  readonly bodies: BodyMemory;
  readonly metrics: RouterMetrics;
  readonly failures: FailureLog;
}

/**
 * Stands between the attempts of one request and its client. What goes out is kept, so that a stream that breaks off after
 * its commit goes on at another engine from the text already sent; the client sees one stream.
 */
export class StreamContinuation implements RelayTarget {
  /** A stream has broken off, and no other engine has gone on with it yet. */
  waiting = false;
  /** The answer broke off behind its last word and was completed here. */
  completed = false;
  /** Null: the answer is no stream that could go on. */
  #text: TextSoFar | null = null;
  /** Null as long as the first engine answers. */
  #frames: ContinuedFrames | null = null;
  #body: RequestBody;
  /** What the client hears when nobody goes on; null before the first break. */
  #brokeOff: RouterError | null = null;
  #refused = false;

  constructor(
    private readonly all: ContinuationParts,
    private readonly facts: RequestFacts,
    readonly shape: TextShape,
    private readonly request: RequestBody,
    private readonly answer: ClientAnswer,
    private readonly owner: ContinuationOwner,
  ) {
    this.#body = request;
  }

  /** What the next attempt sends. */
  get body(): RequestBody {
    return this.#body;
  }

  /** The answers of the engines that follow are not whole. */
  get began(): boolean {
    return this.#frames !== null;
  }

  get framing(): boolean {
    return this.#frames === null && this.answer.framing;
  }

  head(status: number, statusText: string, headers: RawHeaders, eventStream: boolean): void {
    const plain = status === 200 && eventStream;
    if (!this.answer.started) {
      this.answer.head(status, statusText, headers, eventStream);
      if (plain && this.answer.extensible) this.#text = new TextSoFar(this.shape, this.all.memory);
      else this.request.release();
      return;
    }
    this.#body.release();
    this.waiting = false;
    this.#refused = !plain;
    this.all.metrics.streamContinuation(plain ? 'continued' : 'refused');
  }

  write(bytes: Buffer): boolean {
    if (this.#text === null) return this.answer.write(bytes);
    if (this.#refused) return this.#refuses();
    return this.#heeds(bytes, false) ?? this.#send(bytes);
  }

  writeFramed(chunks: Buffer): boolean {
    if (this.#text === null) return this.answer.writeFramed(chunks);
    const heeded = this.#heeds(chunks, true);
    if (heeded !== null) return heeded;
    this.#keep(chunks, true);
    return this.answer.writeFramed(chunks);
  }

  onceDrained(resume: () => void): void {
    this.answer.onceDrained(resume);
  }

  end(bytes: Buffer | null): void {
    if (this.#frames === null) return this.answer.end(bytes);
    if (!this.#refused && bytes !== null) this.#send(bytes);
    const sent = this.#refused ? null : this.#text?.sent();
    // What goes on must come to its end: a stream that just stops would pass as complete.
    if (sent?.done || sent?.finish) this.answer.end(null);
    else this.breakOff(this.#brokeOff!, false);
  }

  breakOff(error: RouterError, insideFrame: boolean): void {
    this.waiting = false;
    this.answer.breakOff(error, insideFrame);
  }

  error(error: RouterError): void {
    if (this.answer.started) this.breakOff(error, false);
    else this.answer.error(error);
  }

  /** Gives the last attempt the token counts of the whole stream, from those that its engine told. */
  complete(attempt: { usage: TokenUsage | null; heldUp: boolean }): void {
    const { usage } = attempt;
    if (this.#frames === null) return;
    attempt.heldUp = true;
    if (usage !== null && !this.waiting) attempt.usage = this.#frames.whole(usage);
  }

  /** No engine is left that could go on. */
  giveUp(): void {
    this.all.metrics.streamContinuation('no_engine');
    this.breakOff(this.#brokeOff!, false);
  }

  /** Whether the stream, which broke off for `cause`, goes on at another engine or is complete as it is. */
  goesOn(cause: AttemptCause): boolean {
    // These end the request, not the engine.
    if (this.answer.left || endsRequest(cause)) return false;
    const sent = this.#text?.sent() ?? null;
    if (sent === null) return this.#stays(cause, 'not_continuable', 'not one plain text, or too long');
    const body = jsonObject(this.request.joined());
    const fault = body === undefined ? 'no JSON' : whyNotContinuable(body, this.shape);
    if (body === undefined || fault !== null) return this.#stays(cause, 'not_continuable', fault ?? '');
    const ending = endingOf(sent, wantsUsage(body));
    if (ending !== null) return this.#completes(ending);
    const next =
      sent.finish === null ? nextRequest(body, this.shape, sent) : countsRequest(body, this.shape, sent);
    if (typeof next === 'string') return this.#stays(cause, 'not_continuable', next);
    if (!this.#takes(next.body)) return this.#stays(cause, 'no_memory', '--max-body-memory');
    if (!this.owner.triesAnother(cause, true)) return this.#stays(cause, 'no_engine', 'no engine is left');
    this.#frames = new ContinuedFrames(this.shape, sent, next);
    this.#brokeOff = brokenOff(cause, isTimeout(cause));
    this.waiting = true;
    this.#log(cause, `goes on behind ${next.tokens} tokens`);
    return true;
  }

  /** The request is over. */
  release(): void {
    this.#text?.release();
    this.#body.release();
  }

  /** Sends on what another engine than the first one may have written. */
  #send(bytes: Buffer): boolean {
    const out = this.#frames === null ? bytes : this.#frames.take(bytes);
    if (out === null) return true;
    this.#keep(out, false);
    return this.answer.write(out);
  }

  /** What came in place of more of the stream may be long: it is not waited for. */
  #refuses(): true {
    this.breakOff(this.#brokeOff!, false);
    this.owner.attempt?.handOver('http_5xx');
    return true;
  }

  /** Sends what the engine says before it tells that it will not finish, and moves on; null for nearly all bytes. */
  #heeds(bytes: Buffer, framed: boolean): boolean | null {
    const broken = inBandBreak(bytes, framed, this.shape);
    if (broken === null) return null;
    const { cause, before, rest } = broken;
    const room = before.length === 0 || this.#send(before);
    if (!this.goesOn(cause)) {
      // Of the engine that began the answer the client gets what it says; what another one says is not of this stream.
      if (!this.began) return this.#send(rest) && room;
      this.breakOff(brokenOff(cause, false), false);
    }
    this.owner.attempt?.handOver(cause);
    return room;
  }

  #keep(bytes: Buffer, framed: boolean): void {
    const text = this.#text!;
    text.add(bytes, framed);
    if (text.lost) this.request.release();
  }

  #completes(ending: string): boolean {
    this.completed = true;
    this.all.metrics.streamContinuation('completed');
    this.answer.end(ending === '' ? null : Buffer.from(ending));
    return true;
  }

  /** Makes the next body, counted like those that clients send. */
  #takes(body: object): boolean {
    const next = new RequestBody(this.all.bodies, null);
    let text: string;
    try {
      text = JSON.stringify(body);
    } catch {
      // Nested deeper than it can be written.
      return false;
    }
    if (!next.add(Buffer.from(text))) return false;
    if (this.#body !== this.request) this.#body.release();
    this.#body = next;
    return true;
  }

  #stays(cause: AttemptCause, outcome: string, why: string): false {
    this.all.metrics.streamContinuation(outcome);
    this.#log(cause, `is not continued (${why})`);
    return false;
  }

  #log(cause: AttemptCause, what: string): void {
    const { id, model } = this.facts;
    this.all.failures.write(
      `stream of request ${id} for model ${model} broke off (${cause}) and ${what}`,
      performance.now(),
    );
  }
}
