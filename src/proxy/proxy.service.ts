import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { withoutCredentials } from '../core/access/credentials.js';
import { readDeadlines } from '../core/deadlines.js';
import { mayForward } from '../core/engine-paths.js';
import {
  internalError,
  modelRequired,
  routeNotFound,
  RouterError,
  shuttingDown,
  tooManyRequests,
} from '../core/errors.js';
import { EXPLAIN, headerValue, requestHeaders } from '../core/headers.js';
import type { Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { sanitiseRequestId } from '../core/request-id.js';
import { apiShape } from '../core/request-reader.js';
import { Decisions } from '../decisions/decisions.service.js';
import { RouterRun } from '../decisions/router-run.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RoutingService } from '../routing/routing.service.js';
import { AdmissionService } from './admission/admission.service.js';
import { AccessControl } from '../security/access-control.js';
import { principalOf } from '../security/principal.js';
import { Tracing } from '../tracing/tracing.service.js';
import type { Intake } from './body-intake.js';
import { BodyReader, type ReadBody } from './body-reader.service.js';
import { type Call, isEncrypted, receivedRequest, type RouteKind } from './call.js';
import { CandidatesService } from './candidates.service.js';
import { ClientAnswer, type LeaveListener } from './client-answer.js';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.js';
import { DrainState } from './drain-state.js';
import { Exchange } from './exchange.js';
import { ExchangeServices } from './exchange-services.js';
import type { OutgoingRequest } from './outgoing-request.js';
import { ReceivedFacts } from './received-facts.js';
import { RequestBody } from './request-body.js';
import { RequestLimit } from './request-limit.js';
import { routingLine } from './routing-line.js';
import { TrustedPeers } from './trusted-peers.js';

/** Takes a request from its received body to its exchange, or refuses it. */
@Injectable()
export class ProxyService {
  readonly #log = new Logger(ProxyService.name);
  /** Told of clients that leave before their request has an exchange. */
  readonly #unheard: LeaveListener = { leave: () => this.metrics.clientLeft() };
  #trusted: { readonly from: readonly string[]; readonly peers: TrustedPeers };

  constructor(
    private readonly settings: SettingsStore,
    private readonly reader: BodyReader,
    private readonly candidates: CandidatesService,
    private readonly routing: RoutingService,
    private readonly metrics: RouterMetrics,
    private readonly services: ExchangeServices,
    private readonly drain: DrainState,
    private readonly decisions: Decisions,
    private readonly run: RouterRun,
    private readonly admission: AdmissionService,
    private readonly limit: RequestLimit,
    private readonly access: AccessControl,
    private readonly tracing: Tracing,
  ) {
    const from = settings.current.trustedProxies;
    this.#trusted = { from, peers: new TrustedPeers(from) };
  }

  /** Never throws: each request gets a well-formed answer, whatever happens. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    intake: Intake | undefined,
    kind: RouteKind,
  ): void {
    const receivedAt = performance.now();
    const { rawHeaders } = request;
    const url = request.url ?? '/';
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
    const id = sanitiseRequestId(headerValue(rawHeaders, 'x-request-id')) ?? randomUUID();
    const { allowedOrigins, allowEnginePath } = this.settings.current;
    const cors = allowedOrigins.length === 0 ? null : corsHeaders(request.headers, allowedOrigins);
    const answer = new ClientAnswer(response, apiShape(path), id, cors, this.#unheard);
    const body = intake instanceof RequestBody ? intake : RequestBody.empty;
    const call: Call = { request, answer, body, receivedAt, deadlines: null, kind, id, path, query };
    if (this.tracing.on) answer.span = this.tracing.begin(receivedRequest(call));
    try {
      const trusted = !(intake instanceof RouterError && intake.closeConnection);
      if (cors !== null && trusted && isPreflight(request.method ?? '', request.headers)) {
        answer.preflight(preflightHeaders(request.headers));
        body.release();
        return;
      }
      if (intake instanceof RouterError) throw intake;
      if (this.drain.draining) throw shuttingDown();
      if (this.limit.reached) throw tooManyRequests(1 + Math.floor(Math.random() * 3));
      call.deadlines = readDeadlines(rawHeaders, receivedAt);
      // The routes of the API are none of those that are not forwarded.
      if (kind === 'any' && !mayForward(path, allowEnginePath)) throw routeNotFound();
      this.#read(call);
    } catch (error) {
      this.#refuse(call, error);
    }
  }

  #read(call: Call): void {
    const { request, body, query, kind } = call;
    const { sessionKey } = this.settings.current;
    const contentType = headerValue(request.rawHeaders, 'content-type');
    const wanted = body.large && (this.routing.needsPrompt || this.decisions.needsPrompt);
    const prompt = wanted ? { shape: call.answer.shape, key: this.run.key } : null;
    let read;
    try {
      read = this.reader.read(body, { contentType, query, sessionKey }, prompt);
    } catch (error) {
      throw unreadable(kind, error);
    }
    if (read instanceof Promise) {
      read
        .then(
          (result) => this.#proceed(call, result),
          (error: unknown) => this.#refuse(call, unreadable(kind, error)),
        )
        .catch((error: unknown) => this.#refuse(call, error));
    } else this.#proceed(call, read);
  }

  /** Sends what has been read on its way. */
  #proceed(call: Call, read: ReadBody): void {
    const { answer, body, kind } = call;
    if (answer.left) {
      body.release();
      answer.span?.end();
      return;
    }
    if (read.model === null) throw kind === 'any' ? routeNotFound() : modelRequired();
    const facts = this.#facts(call, read, read.model);
    this.metrics.arrived(this.candidates.isServed(facts.model) ? facts.model : null);
    if (this.admission.on) this.#apply(call, read, facts);
    else this.#send(call, facts);
  }

  /** Lets the gate decide when it is sent. */
  #apply(call: Call, read: ReadBody, facts: RequestFacts): void {
    const { request, body, answer, receivedAt, deadlines } = call;
    const principal = principalOf(request);
    answer.span?.gated(performance.now());
    const limits = { receivedAt, endsAt: deadlines?.endsAt ?? Infinity, priority: read.priority ?? null };
    this.admission.admit({
      ...{ facts, headers: request.rawHeaders, body, answer, principal, ...limits },
      send: () => this.#send(call, facts),
      refuse: (error) => this.#refuse(call, error),
    });
  }

  #send(call: Call, facts: RequestFacts): void {
    const { answer } = call;
    const ranking = this.#rank(facts);
    if (this.settings.current.accessLog) this.#log.log(routingLine(facts, ranking, call.receivedAt));
    answer.span?.routed(facts, this.routing.strategy, ranking, performance.now());
    const followers = {
      span: answer.span,
      trace: this.decisions.begin(facts, this.routing.strategy, ranking, call.receivedAt),
      explains: this.decisions.explained && headerValue(call.request.rawHeaders, EXPLAIN) === '1',
    };
    const { deadlines } = call;
    const outgoing = this.#outgoing(call);
    const exchange = new Exchange(facts, outgoing, answer, ranking, this.services, followers, deadlines);
    answer.tell(exchange);
    exchange.start();
    this.decisions.sent(facts);
  }

  #facts({ request, id, path, answer, body }: Call, read: ReadBody, model: string): RequestFacts {
    const { sessionKey } = this.settings.current;
    const header =
      sessionKey === null ? undefined : headerValue(request.rawHeaders, sessionKey.toLowerCase());
    const session = header || read.session;
    return new ReceivedFacts(id, path, answer.shape, model, read, session, body, this.run.key);
  }

  #rank(facts: RequestFacts): Ranking {
    const candidates = this.candidates.select(facts.model, performance.now());
    this.services.budget.request(performance.now());
    return this.routing.rank(facts, candidates);
  }

  #outgoing({ request, body, id }: Call): OutgoingRequest {
    const address = request.socket.remoteAddress ?? 'unknown';
    const headers = requestHeaders(request.rawHeaders, {
      requestId: id,
      address,
      protocol: isEncrypted(request) ? 'https' : 'http',
      trusted: this.#trustedPeers().has(address),
    });
    // What a client shows here is a key of the router, and no business of an engine.
    const shown = !this.access.asksForKeys || this.settings.current.forwardClientKey;
    return {
      method: request.method ?? 'POST',
      target: request.url ?? '/',
      headers: shown ? headers : withoutCredentials(headers),
      body,
    };
  }

  #trustedPeers(): TrustedPeers {
    const from = this.settings.current.trustedProxies;
    if (from !== this.#trusted.from) this.#trusted = { from, peers: new TrustedPeers(from) };
    return this.#trusted.peers;
  }

  #refuse({ answer, body }: Call, error: unknown): void {
    body.release();
    this.#tell(answer, error);
    answer.span?.end();
  }

  #tell(answer: ClientAnswer, error: unknown): void {
    if (error instanceof RouterError) {
      this.metrics.rejected(error.code);
      answer.error(error);
      return;
    }
    this.#log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    this.metrics.rejected('internal_error');
    if (answer.started) answer.breakOff(internalError(), false);
    else answer.error(internalError());
  }
}

/** A path that the router does not know, with a body it cannot read: there is no such route here. */
function unreadable(kind: RouteKind, error: unknown): unknown {
  return kind === 'any' && error instanceof RouterError && error.status === 400 ? routeNotFound() : error;
}
