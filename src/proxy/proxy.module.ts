import { Module } from '@nestjs/common';
import { UpstreamClients } from '../upstream/upstream-clients.service.js';
import { AdmissionService } from './admission/admission.service.js';
import { AccessHook } from './access-hook.js';
import { AttemptListeners } from './attempt-listeners.js';
import { BodyIntake } from './body-intake.js';
import { BodyMemory } from './body-memory.js';
import { BodyReader } from './body-reader.service.js';
import { CandidatesService } from './candidates.service.js';
import { CorsHook } from './cors-hook.js';
import { DrainState } from './drain-state.js';
import { ExchangeServices } from './exchange-services.js';
import { FailureLog } from './failure-log.js';
import { FleetFollowers } from './fleet-followers.js';
import { HeadCheck } from './head-check.js';
import { Hedging } from './hedging.js';
import { HostApp } from './host-app.js';
import { ModelsController } from './models.controller.js';
import { ProxyController } from './proxy.controller.js';
import { ProxyService } from './proxy.service.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { RequestLimit } from './request-limit.js';
import { SharedMemory } from './shared-memory.js';
import { ShortWay } from './short-way.js';
import { SilenceWatch } from './silence-watch.js';
import { StreamContinuations } from './stream-continuations.service.js';
import { StallWatch } from './stall-watch.js';

/** Takes requests from clients to engines and answers back. */
@Module({
  controllers: [ModelsController, ProxyController],
  providers: [
    AdmissionService,
    AccessHook,
    AttemptListeners,
    BodyIntake,
    BodyMemory,
    BodyReader,
    CandidatesService,
    UpstreamClients,
    CorsHook,
    DrainState,
    ExchangeServices,
    FailureLog,
    FleetFollowers,
    HeadCheck,
    Hedging,
    HostApp,
    ProxyService,
    RealtimeGateway,
    RequestLimit,
    SharedMemory,
    ShortWay,
    SilenceWatch,
    StreamContinuations,
    StallWatch,
  ],
  exports: [
    AdmissionService,
    BodyMemory,
    CandidatesService,
    DrainState,
    ExchangeServices,
    RealtimeGateway,
    RequestLimit,
    ShortWay,
    SilenceWatch,
    StallWatch,
  ],
})
export class ProxyModule {}
