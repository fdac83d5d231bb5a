import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { AttemptEvent, AttemptOutcome } from '../../core/attempt-event.js';
import type { RouterError } from '../../core/errors.js';
import type { RawHeaders } from '../../core/headers.js';
import type { Ranked, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { withTraceContext } from '../../core/trace-context.js';
import { contextOf } from './propagation.js';
import type { Places, ReceivedRequest, RequestSpan } from '../request-span.js';
import { ATTRIBUTE, attemptAttributes, operationOf, receivedAttributes } from './span-attributes.js';

/** Answers that the HTTP conventions call an error: at a client all of them, at a server its own. */
const CLIENT_ERROR = 400;
const SERVER_ERROR = 500;

/** Whose attempts are first ones, tried anew, sent beside another one, or go on with a stream that broke off. */
type AttemptKind = 'first' | 'retry' | 'hedge' | 'continuation';

/** One request that is recorded. Its spans hold words and numbers alone, no text of prompts or answers. */
export class TracedRequest implements RequestSpan {
  /** From monotonic to wall clock, milliseconds: one for the request, so that its spans fit into each other. */
  readonly #epoch = Date.now() - performance.now();
  readonly #span: Span;
  /** That of its server span. */
  readonly context: Context;
  readonly #operation: string | undefined;
  readonly #path: string;
  readonly #receivedAt: number;
  /** Attempts under way, two at most. */
  readonly #open = new Map<number, Span>();
  #model = '';
  #facts: Attributes = {};
  #attempts = 0;
  #gatedAt: number | null = null;
  #began = false;
  #status: number | null = null;
  #error: RouterError | null = null;
  #outcome: AttemptOutcome | null = null;
  #over = false;

  /** @param parent the client's context, or an empty one */
  constructor(
    private readonly tracer: Tracer,
    received: ReceivedRequest,
    parent: Context,
  ) {
    const { method, path, known, receivedAt } = received;
    this.#path = path;
    this.#receivedAt = receivedAt;
    this.#operation = operationOf(path);
    const startTime = this.#wall(receivedAt);
    const attributes = receivedAttributes(received);
    const name = known ? `${method} ${path}` : method;
    this.#span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime, attributes }, parent);
    this.context = trace.setSpan(parent, this.#span);
  }

  /** False: the sampler has left it out. */
  get recorded(): boolean {
    return this.#span.isRecording();
  }

  gated(at: number): void {
    this.#gatedAt = at;
  }

  routed({ model, stream }: RequestFacts, strategy: string, ranking: Ranking, at: number): void {
    this.#model = model;
    this.#facts = { [ATTRIBUTE.model]: model, [ATTRIBUTE.vllmModel]: model };
    if (this.#operation !== undefined) this.#facts[ATTRIBUTE.operation] = this.#operation;
    this.#span.setAttributes({
      ...this.#facts,
      [ATTRIBUTE.stream]: stream,
      [ATTRIBUTE.strategy]: strategy,
      [ATTRIBUTE.candidates]: ranking.length,
    });
    if (this.#gatedAt !== null) this.#span.setAttribute(ATTRIBUTE.held, seconds(at - this.#gatedAt));
  }

  dispatched(taken: Ranked, attempt: number, from: Places, headers: RawHeaders): RawHeaders {
    const kind = this.#kindOf(attempt);
    const attributes: Attributes = {
      ...this.#facts,
      ...attemptAttributes(taken, from.placeOf(taken), this.#path),
      [ATTRIBUTE.provider]: 'vllm',
      [ATTRIBUTE.attempt]: attempt,
      [ATTRIBUTE.kind]: kind,
    };
    if (attempt > 1) attributes[ATTRIBUTE.resends] = attempt - 1;
    const name = this.#operation === undefined ? this.#path : `${this.#operation} ${this.#model}`;
    const startTime = this.#wall(performance.now());
    const span = this.tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime, attributes }, this.context);
    this.#open.set(attempt, span);
    this.#attempts++;
    return withTraceContext(headers, contextOf(trace.setSpan(this.context, span)));
  }

  firstToken(attempt: number, at: number): void {
    if (!this.#began) this.#span.setAttribute(ATTRIBUTE.ttft, seconds(at - this.#receivedAt));
    this.#began = true;
    this.#open.get(attempt)?.addEvent('first_token', undefined, this.#wall(at));
  }

  finished({
    attempt,
    at,
    outcome,
    cause,
    status,
    usage,
    engine,
  }: AttemptEvent & { type: 'finished' }): void {
    const span = this.#open.get(attempt);
    if (span === undefined) return;
    this.#open.delete(attempt);
    span.setAttribute(ATTRIBUTE.outcome, outcome);
    if (status !== null) span.setAttribute(ATTRIBUTE.status, status);
    if (cause !== null) span.setAttribute(ATTRIBUTE.cause, cause);
    const errorType = cause ?? (status !== null && status >= CLIENT_ERROR ? String(status) : null);
    if (errorType !== null) {
      span.setAttribute(ATTRIBUTE.errorType, errorType);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    if (usage !== null) {
      const counts: Attributes = {
        [ATTRIBUTE.promptTokens]: usage.prompt,
        [ATTRIBUTE.completionTokens]: usage.completion,
      };
      if (usage.cached !== null) counts[ATTRIBUTE.cachedTokens] = usage.cached;
      span.setAttributes(counts);
      this.#span.setAttributes(counts);
    }
    span.end(this.#wall(at));
    if (outcome === 'hedged_away') return;
    this.#outcome = outcome;
    this.#span.setAttribute(ATTRIBUTE.engine, engine.url);
  }

  answered(status: number): void {
    this.#began = true;
    this.#status = status;
  }

  failed(error: RouterError): void {
    this.#error = error;
    this.#status ??= error.status;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    const [span, status, error] = [this.#span, this.#status, this.#error];
    span.setAttribute(ATTRIBUTE.attempts, this.#attempts);
    const refused = status === null ? 'client_left' : error !== null ? 'refused' : 'done';
    span.setAttribute(ATTRIBUTE.outcome, this.#outcome ?? refused);
    if (status !== null) span.setAttribute(ATTRIBUTE.status, status);
    if (error !== null || (status ?? 0) >= SERVER_ERROR) {
      span.setAttribute(ATTRIBUTE.errorType, error?.code ?? String(status));
      // What a client did wrong is no error of the server, by the HTTP conventions; a stream that broke off is one.
      if ((error?.status ?? status!) >= SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(this.#wall(performance.now()));
  }

  #kindOf(attempt: number): AttemptKind {
    if (attempt === 1) return 'first';
    if (this.#open.size > 0) return 'hedge';
    return this.#status === null ? 'retry' : 'continuation';
  }

  #wall(at: number): number {
    return this.#epoch + at;
  }
}

/** One that is not recorded and had no context: engines are told so, else each would decide anew. */
export class UnrecordedRequest implements RequestSpan {
  constructor(private readonly context: Context) {}

  gated(): void {}
  routed(): void {}
  firstToken(): void {}
  finished(): void {}
  answered(): void {}
  failed(): void {}
  end(): void {}

  dispatched(_taken: Ranked, _attempt: number, _from: Places, headers: RawHeaders): RawHeaders {
    return withTraceContext(headers, contextOf(this.context));
  }
}

/** Seconds with microseconds. */
const seconds = (ms: number): number => Math.round(ms * 1_000) / 1e6;
