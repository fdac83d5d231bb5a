import 'reflect-metadata';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { createHash } from 'node:crypto';
import request from 'supertest';
import type { Settings } from '../../src/config/settings.schema.js';
import type { EngineSpec } from '../../src/core/engine.js';
import type { Candidate, Ranking } from '../../src/core/ranking.js';
import type { RequestFacts } from '../../src/core/request-facts.js';
import { startSimulatedEngine, type SimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { EngineDiscovery, RouterModule, RoutingStrategy, type DiscoveryStatus } from '../../src/index.js';
import { itKeepsTheStrategyContract } from '../support/strategy.contract.js';

class LastByUrlStrategy extends RoutingStrategy {
  static readonly strategyName = 'last-by-url';

  override rank(_request: RequestFacts, candidates: readonly Candidate[]): Ranking {
    const order = [...candidates].sort((a, b) => (a.engine.url < b.engine.url ? 1 : -1));
    return order.map((candidate) => ({ candidate, reason: 'later by URL' }));
  }
}

let found: readonly EngineSpec[] = [];

class ListedDiscovery extends EngineDiscovery {
  static readonly providerName = 'listed';
  status: DiscoveryStatus = { state: 'starting', reason: null, since: 0 };

  constructor(readonly settings: Settings) {
    super();
  }

  override async start(publish: (engines: readonly EngineSpec[]) => void): Promise<void> {
    this.status = { state: 'synced', reason: null, since: 0 };
    publish(found);
  }

  override async stop(): Promise<void> {}
}

@Controller('own')
class OwnController {
  @Post()
  take(@Body() body: unknown): unknown {
    return { body, kind: typeof body };
  }
}

function hostModule(): new () => object {
  @Module({
    imports: [
      RouterModule.forRoot({
        settings: { serviceDiscovery: 'listed', routingLogic: 'last-by-url' },
        strategies: [LastByUrlStrategy],
        discoveries: [ListedDiscovery],
      }),
    ],
    controllers: [OwnController],
  })
  class HostModule {}
  return HostModule;
}

async function hostApp(options: { bodyParser?: false; rawBody?: true }): Promise<NestFastifyApplication> {
  const compiled = await Test.createTestingModule({ imports: [hostModule()] }).compile();
  const app = compiled.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    ...options,
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('the strategy of a host application', () => {
  itKeepsTheStrategyContract(LastByUrlStrategy, {} as Settings);
});

describe.each([{ bodyParser: false as const }, { rawBody: true as const }])(
  'RouterModule.forRoot in an application with %j',
  (options) => {
    const engines: SimulatedEngine[] = [];
    let app: NestFastifyApplication;

    beforeAll(async () => {
      engines.push(
        await startSimulatedEngine({ models: ['m'] }),
        await startSimulatedEngine({ models: ['m'] }),
      );
      engines.sort((a, b) => (a.url < b.url ? -1 : 1));
      found = engines.map(({ url }) => ({ id: url, url, models: ['m'] }));
      app = await hostApp(options);
    });
    afterAll(async () => {
      await app.close();
      await Promise.all(engines.splice(0).map((engine) => engine.close()));
    });

    it('routes by the strategy and the discovery of the application', async () => {
      const body =
        '{ "model" : "m",\n "max_tokens":2, "seed": 12345678901234567890, "messages":[{"role":"user","content":"é"}] }';
      const answer = await request(app.getHttpServer())
        .post('/v1/chat/completions')
        .set('content-type', 'application/json')
        .send(body);
      expect(answer.status).toBe(200);
      expect(engines[0]!.requestCount - probesOf(engines[0]!)).toBe(0);
      const seen = engines[1]!.requests.filter(({ path }) => path === '/v1/chat/completions');
      expect(seen).toHaveLength(1);
      expect(seen[0]!.sha256).toBe(createHash('sha256').update(body).digest('hex'));
    });

    it('takes bodies beyond the limit of the application on its own routes alone', async () => {
      const content = 'x'.repeat(1_200_000);
      const big = JSON.stringify({ model: 'unknown-model', prompt: content.slice(0, 1_000_000) });
      const own = await request(app.getHttpServer())
        .post('/own')
        .set('content-type', 'application/json')
        .send(JSON.stringify({ content }));
      expect(own.status).toBe(413);
      const routed = await request(app.getHttpServer())
        .post('/v1/completions')
        .set('content-type', 'application/json')
        .send(`${big.slice(0, -1)}, "more": "${'y'.repeat(40_000)}"}`);
      expect(routed.status).toBe(404);
      expect(routed.body.error.code).toBe('model_not_found');
    });

    it('leaves the bodies of other routes to the application', async () => {
      const answer = await request(app.getHttpServer()).post('/own').send({ a: 1 });
      expect(answer.body).toEqual({ body: { a: 1 }, kind: 'object' });
    });

    it('serves /health, /metrics and /v1/models beside them', async () => {
      const server = app.getHttpServer();
      expect((await request(server).get('/health')).body.status).toBe('healthy');
      expect((await request(server).get('/metrics')).text).toContain('vllm:healthy_pods_total');
      expect((await request(server).get('/v1/models')).body.data[0].id).toBe('m');
      const unknown = await request(server).get('/v1/models/org/none');
      expect(unknown.status).toBe(404);
      expect(unknown.body.error.code).toBe('model_not_found');
    });
  },
);

const probesOf = (engine: SimulatedEngine): number =>
  engine.requests.filter(({ path }) => path === '/v1/models' || path === '/metrics').length;

describe('RouterModule.forRoot', () => {
  it('refuses an application that parses bodies away, in one sentence', async () => {
    found = [];
    await expect(hostApp({})).rejects.toThrow(
      'vllm-router needs the bytes of request bodies: create the application with { bodyParser: false } or { rawBody: true }.',
    );
  });

  it('names every setting that cannot be used', () => {
    expect(() =>
      RouterModule.forRoot({ settings: { serviceDiscovery: 'static', routingLogic: 'nope' } }),
    ).toThrow(/routing_logic: "nope" is not available/);
  });
});
