import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { bodyMemoryFull, bodyTooLarge, bodyTooSlow, RouterError } from '../core/errors.js';
import { headerValue } from '../core/headers.js';
import { MemberList, type Member } from '../core/member-list.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { BodyMemory } from './body-memory.js';
import { IntakePace } from './intake-pace.js';
import { RequestBody } from './request-body.js';
import { SharedMemory } from './shared-memory.js';

// A body that keeps coming at this pace may take longer than --client-body-timeout.
const MIN_BYTES_PER_SECOND = 8 * 1024;
/** The pace is taken over this time, so that a short stall is no failure, milliseconds. */
const PACE_MS = 5_000;
const SWEEP_MS = 1_000;

/** The body, or the error to answer with. */
export type Intake = RequestBody | RouterError;

/** Where a request keeps its body while it comes, so that one listener of each kind serves all. */
const RECEIVING = Symbol('receiving');

type Incoming = IncomingMessage & { [RECEIVING]?: Receiving | undefined };

const IGNORE = (): void => undefined;

function onData(this: Incoming, chunk: Buffer): void {
  this[RECEIVING]?.took(chunk);
}

function onEnd(this: Incoming): void {
  const receiving = this[RECEIVING];
  receiving?.end(receiving.body);
}

function onClose(this: Incoming): void {
  this[RECEIVING]?.leave();
}

/** One body that is coming. */
class Receiving implements Member<Receiving> {
  before: Receiving | null = null;
  after: Receiving | null = null;
  /** Where the pace is taken from: a length, and when it was reached. */
  lengthAtSweep = 0;
  sweptAt: number;

  constructor(
    private readonly intake: BodyIntake,
    private readonly request: Incoming,
    readonly body: RequestBody,
    readonly limit: number,
    readonly startedAt: number,
    private readonly done: (intake: Intake) => void,
  ) {
    this.sweptAt = startedAt;
  }

  took(chunk: Buffer): void {
    const { body, limit } = this;
    if (body.length + chunk.length > limit) this.end(bodyTooLarge(limit));
    else if (!body.add(chunk)) this.end(bodyMemoryFull());
    else if (body.large) this.intake.paced(this.request, chunk.length);
  }

  end(intake: Intake): void {
    this.#stop();
    if (intake !== this.body) this.body.release();
    this.done(intake);
  }

  /** The client has gone before the end of its body. */
  leave(): void {
    this.#stop();
    this.body.release();
    this.intake.left();
  }

  #stop(): void {
    // What still comes of a refused body is dropped by the listeners.
    this.request[RECEIVING] = undefined;
    this.intake.forget(this, this.request);
  }
}

/**
 * Receives request bodies within the limits on size, total memory and time. One sweep a second watches
 * all bodies that are still coming, so that a request costs no timer.
 */
@Injectable()
export class BodyIntake implements OnModuleInit, OnApplicationShutdown {
  /** Bounded by the connections. */
  readonly #receiving = new MemberList<Receiving>();
  /** Answers of clients that wait for `100 Continue` before they send their body. */
  readonly #waitsToSend = new WeakMap<IncomingMessage, ServerResponse>();
  readonly #pace = new IntakePace();
  #sweep: NodeJS.Timeout | null = null;

  constructor(
    private readonly settings: SettingsStore,
    private readonly memory: BodyMemory,
    private readonly shared: SharedMemory,
    private readonly metrics: RouterMetrics,
  ) {}

  onModuleInit(): void {
    this.#sweep = setInterval(() => this.sweep(performance.now()), SWEEP_MS);
    this.#sweep.unref();
  }

  onApplicationShutdown(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
  }

  /** Lets the client's `Expect: 100-continue` be answered when its body is wanted, and only then (RFC 9110 10.1.1). */
  continueLater(request: IncomingMessage, response: ServerResponse): void {
    this.#waitsToSend.set(request, response);
  }

  /** Reads the body of `request`; `done` is called once, and never when the client leaves first. */
  receive(request: IncomingMessage, done: (intake: Intake) => void): void {
    const limit = this.settings.current.maxBodySize;
    if (Number(headerValue(request.rawHeaders, 'content-length') ?? 0) > limit) {
      done(bodyTooLarge(limit));
      return;
    }
    const body = new RequestBody(this.memory, this.shared);
    const receiving = new Receiving(this, request, body, limit, performance.now(), done);
    this.#receiving.add(receiving);
    (request as Incoming)[RECEIVING] = receiving;
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
    // A socket error surfaces as `close` too; without a listener it would end the process.
    request.on('error', IGNORE);
    this.#waitsToSend.get(request)?.writeContinue();
  }

  /** `bytes` of a large body have come. */
  paced(request: IncomingMessage, bytes: number): void {
    this.#pace.took(request, bytes);
  }

  /** The body is complete, refused or gone. */
  forget(receiving: Receiving, request: IncomingMessage): void {
    this.#receiving.remove(receiving);
    this.#pace.forget(request);
  }

  /** A client has gone before the end of its body. */
  left(): void {
    this.metrics.clientLeft();
  }

  /** Fails the bodies that are too slow. `now` in monotonic milliseconds. */
  sweep(now: number): void {
    const seconds = this.settings.current.clientBodyTimeout;
    for (const receiving of this.#receiving) {
      const elapsed = (now - receiving.sweptAt) / 1_000;
      if (elapsed < Math.min(PACE_MS / 1_000, seconds)) continue;
      const came = receiving.body.length - receiving.lengthAtSweep;
      receiving.lengthAtSweep = receiving.body.length;
      receiving.sweptAt = now;
      const late = now - receiving.startedAt >= seconds * 1_000;
      if (late && came < MIN_BYTES_PER_SECOND * elapsed) receiving.end(bodyTooSlow(seconds));
    }
  }
}
