import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { mayForward } from '../core/engine-paths.js';
import {
  badFraming,
  internalError,
  modelRequired,
  routeNotFound,
  RouterError,
  shuttingDown,
} from '../core/errors.js';
import { framingFault, requestHeaders } from '../core/headers.js';
import type { Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { sanitiseRequestId } from '../core/request-id.js';
import { apiShape, type ReadInput } from '../core/request-reader.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RoutingService } from '../routing/routing.service.js';
import type { Intake } from './body-intake.js';
import { BodyReader } from './body-reader.service.js';
import { CandidatesService } from './candidates.service.js';
import { ClientAnswer } from './client-answer.js';
import { corsHeaders, isPreflight, preflightHeaders } from './cors.js';
import { DrainState } from './drain-state.js';
import { Exchange } from './exchange.js';
import { ExchangeServices } from './exchange-services.js';
import { RequestBody } from './request-body.js';
import { TrustedPeers } from './trusted-peers.js';

/** `api`: a route that needs a model. `any`: a path the router does not know, forwarded when it names one. */
export type RouteKind = 'api' | 'any';

/** Takes a request from its received body to the end of its answer. */
@Injectable()
export class ProxyService {
  readonly #log = new Logger(ProxyService.name);
  #trusted: { readonly from: readonly string[]; readonly peers: TrustedPeers };

  constructor(
    private readonly settings: SettingsStore,
    private readonly reader: BodyReader,
    private readonly candidates: CandidatesService,
    private readonly routing: RoutingService,
    private readonly metrics: RouterMetrics,
    private readonly services: ExchangeServices,
    private readonly drain: DrainState,
  ) {
    const from = settings.current.trustedProxies;
    this.#trusted = { from, peers: new TrustedPeers(from) };
  }

  /** Never throws and never rejects: each request gets a well-formed answer, whatever happens. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    intake: Intake | undefined,
    kind: RouteKind,
  ): Promise<void> {
    const receivedAt = performance.now();
    const body = intake instanceof RequestBody ? intake : RequestBody.empty;
    const url = request.url ?? '/';
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const id = sanitiseRequestId(request.headers['x-request-id'] as string | undefined) ?? randomUUID();
    let exchange: Exchange | null = null;
    const cors = corsHeaders(request.headers, this.settings.current.allowedOrigins);
    const answer = new ClientAnswer(response, apiShape(path), id, cors, () => {
      if (exchange === null) this.metrics.clientLeft();
      else exchange.leave();
    });
    try {
      if (cors !== null && isPreflight(request.method ?? '', request.headers)) {
        answer.preflight(preflightHeaders(request.headers));
        return;
      }
      const fault = framingFault(request.rawHeaders, request.httpVersion);
      if (fault !== null) throw badFraming(fault);
      if (intake instanceof RouterError) throw intake;
      if (this.drain.draining) throw shuttingDown();
      if (!mayForward(path, this.settings.current.allowEnginePath)) throw routeNotFound();
      const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
      const facts = await this.#read(request, body, { id, path, query, kind });
      if (answer.left) return;
      const ranking = this.#rank(facts);
      if (this.settings.current.accessLog) this.#logRouting(facts, ranking, receivedAt);
      exchange = this.#exchange(request, body, facts, answer, ranking);
      exchange.start();
      await exchange.done;
    } catch (error) {
      this.#refuse(answer, error);
    } finally {
      body.release();
    }
  }

  async #read(
    request: IncomingMessage,
    body: RequestBody,
    given: { id: string; path: string; query: string; kind: RouteKind },
  ): Promise<RequestFacts> {
    const { sessionKey } = this.settings.current;
    const input: ReadInput = { contentType: request.headers['content-type'], query: given.query, sessionKey };
    let read;
    try {
      const result = this.reader.read(body, input);
      read = result instanceof Promise ? await result : result;
    } catch (error) {
      // A path that the router does not know, with a body it cannot read: there is no such route here.
      if (given.kind === 'any' && error instanceof RouterError && error.status === 400) throw routeNotFound();
      throw error;
    }
    if (read.model === null) throw given.kind === 'any' ? routeNotFound() : modelRequired();
    const header = sessionKey === null ? undefined : request.headers[sessionKey.toLowerCase()];
    const session = (Array.isArray(header) ? header[0] : header) || read.session;
    return {
      id: given.id,
      path: given.path,
      shape: apiShape(given.path),
      model: read.model,
      stream: read.stream,
      session,
      ...(read.body === undefined ? {} : { body: read.body }),
    };
  }

  #rank(facts: RequestFacts): Ranking {
    this.metrics.arrived(this.candidates.isServed(facts.model) ? facts.model : null);
    const candidates = this.candidates.select(facts.model, performance.now());
    this.services.budget.request(performance.now());
    return this.routing.rank(facts, candidates);
  }

  #exchange(
    request: IncomingMessage,
    body: RequestBody,
    facts: RequestFacts,
    answer: ClientAnswer,
    ranking: Ranking,
  ): Exchange {
    const address = request.socket.remoteAddress ?? 'unknown';
    const encrypted = (request.socket as { encrypted?: boolean }).encrypted === true;
    const headers = requestHeaders(request.rawHeaders, {
      requestId: facts.id,
      address,
      protocol: encrypted ? 'https' : 'http',
      trusted: this.#trustedPeers().has(address),
    });
    const outgoing = { method: request.method ?? 'POST', target: request.url ?? '/', headers, body };
    return new Exchange(facts, outgoing, answer, ranking, this.services);
  }

  #trustedPeers(): TrustedPeers {
    const from = this.settings.current.trustedProxies;
    if (from !== this.#trusted.from) this.#trusted = { from, peers: new TrustedPeers(from) };
    return this.#trusted.peers;
  }

  /** The line of the original router, which people's log tools know. */
  #logRouting(facts: RequestFacts, ranking: Ranking, receivedAt: number): void {
    const url = ranking[0]?.candidate.engine.url ?? 'None';
    const seconds = ((performance.now() - receivedAt) / 1_000).toFixed(4);
    // The session is the client's text: quoted where it could forge a line.
    const session = facts.session === null ? 'None' : JSON.stringify(facts.session).slice(1, -1);
    this.#log.log(
      `Routing request ${facts.id} with session id ${session} to ${url} at ${Date.now() / 1_000}, process time = ${seconds}`,
    );
  }

  #refuse(answer: ClientAnswer, error: unknown): void {
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
