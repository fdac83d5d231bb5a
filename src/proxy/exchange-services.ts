import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { withEngineKey } from '../core/access/credentials.js';
import type { Engine } from '../core/engine.js';
import type { RawHeaders } from '../core/headers.js';
import { RetryBudget } from '../core/retry-budget.js';
import { HealthService } from '../health/health.service.js';
import { Decisions } from '../decisions/decisions.service.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RoutingService } from '../routing/routing.service.js';
import { EngineAccess } from '../security/engine-access.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { UpstreamClients } from '../upstream/upstream-clients.service.js';
import { AttemptListeners } from './attempt-listeners.js';
import { CandidatesService } from './candidates.service.js';
import { FailureLog } from './failure-log.js';
import { Hedging } from './hedging.js';
import { KeptAnswers } from './kept-answer.js';
import { SilenceWatch } from './silence-watch.js';
import { StreamContinuations } from './stream-continuations.service.js';

/** Told of each relayed piece of a stream, in seconds since the piece before. */
export interface InterTokenClock {
  observe(seconds: number): void;
}

/** Everything that an exchange works with, the same for all of them. */
@Injectable()
export class ExchangeServices {
  readonly budget = new RetryBudget();
  readonly kept = new KeptAnswers();

  constructor(
    readonly settings: SettingsStore,
    readonly candidates: CandidatesService,
    readonly routing: RoutingService,
    readonly upstreams: UpstreamClients,
    readonly health: HealthService,
    readonly stats: RequestStatsService,
    readonly metrics: RouterMetrics,
    readonly watch: SilenceWatch,
    readonly hedging: Hedging,
    readonly listeners: AttemptListeners,
    readonly failures: FailureLog,
    readonly decisions: Decisions,
    readonly continuations: StreamContinuations,
    private readonly engineAccess: EngineAccess,
  ) {}

  /** The headers of a request as one engine gets them: with its key, where it has one. */
  headersFor({ url }: Engine, headers: RawHeaders): RawHeaders {
    return withEngineKey(headers, this.engineAccess.keyOf(url), this.settings.current.forwardClientKey);
  }
}
