import { type ArgumentsHost, Catch, type ExceptionFilter, Global, Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import type { Settings } from '../../../src/config/settings.schema.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { ServedModel } from '../../../src/core/engine.js';
import { RouterError } from '../../../src/core/errors.js';
import { DiscoveryModule } from '../../../src/discovery/discovery.module.js';
import { ModelProber } from '../../../src/discovery/model-prober.js';
import { ModelsController } from '../../../src/proxy/models.controller.js';
import { RoutingModule } from '../../../src/routing/routing.module.js';
import { RoutingService } from '../../../src/routing/routing.service.js';
import { settled } from '../../support/manual-timers.js';

@Catch(RouterError)
class AnswerErrors implements ExceptionFilter<RouterError> {
  catch({ status, code, message }: RouterError, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(status).send({ error: { code, message } });
  }
}

const settings = {
  serviceDiscovery: 'static',
  routingLogic: 'roundrobin',
  staticBackends: ['http://a:8000', 'http://b:8000'],
  staticModels: null,
  modelRefreshInterval: 30,
  backendHealthCheckTimeoutSeconds: 10,
  vllmApiKey: null,
} as unknown as Settings;

@Global()
@Module({
  providers: [{ provide: SettingsStore, useValue: new SettingsStore(settings) }],
  exports: [SettingsStore],
})
class GivenSettings {}

const card = { object: 'model', created: 5, owned_by: 'vllm', parent: null, max_model_len: 8192 };
const served = (id: string): ServedModel => ({ id, parent: null, card: { id, ...card } });

describe('GET /v1/models', () => {
  let app: NestFastifyApplication;
  let probes: { url: string; answer: (models: readonly ServedModel[]) => void }[];

  beforeEach(async () => {
    probes = [];
    const probe = (url: string): Promise<readonly ServedModel[]> =>
      new Promise((answer) => probes.push({ url, answer }));
    const module = await Test.createTestingModule({
      imports: [GivenSettings, DiscoveryModule.register(), RoutingModule.register()],
      controllers: [ModelsController],
    })
      .overrideProvider(ModelProber)
      .useValue({ probe })
      .compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new AnswerErrors());
    await app.init();
  });

  afterEach(() => app.close());

  const get = (url: string) => app.inject({ method: 'GET', url });

  async function bothAnswer(): Promise<void> {
    probes.find(({ url }) => url === 'http://a:8000')?.answer([served('org/tiny'), served('größe 1')]);
    probes.find(({ url }) => url === 'http://b:8000')?.answer([served('org/tiny'), served('b')]);
    await settled();
  }

  it('lists the models of all engines, merged, and asks no engine', async () => {
    await bothAnswer();
    const answer = await get('/v1/models');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({
      object: 'list',
      data: ['b', 'größe 1', 'org/tiny'].map((id) => ({ id, ...card })),
    });
    expect(probes).toHaveLength(2);
  });

  it('lists what is known before the discovery has synced', async () => {
    expect((await get('/v1/models')).json()).toEqual({ object: 'list', data: [] });
    probes[0]?.answer([served('b')]);
    await settled();
    expect((await get('/v1/models')).json()).toMatchObject({ data: [{ id: 'b' }] });
  });

  it.each([
    ['/v1/models/b', 'b'],
    ['/v1/models/b?x=1', 'b'],
    ['/v1/models/org/tiny', 'org/tiny'],
    ['/v1/models/org%2Ftiny', 'org/tiny'],
    ['/v1/models/org%2ftiny', 'org/tiny'],
    ['/v1/models/gr%C3%B6%C3%9Fe%201', 'größe 1'],
  ])('answers %s with that model', async (url, id) => {
    await bothAnswer();
    const answer = await get(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ id, ...card });
  });

  it('answers an unknown model with 404 once synced, naming those that exist; with 503 before', async () => {
    const early = await get('/v1/models/nope');
    expect([early.statusCode, early.json().error.code]).toEqual([503, 'not_synced']);
    await bothAnswer();
    const late = await get('/v1/models/org/nope');
    expect([late.statusCode, late.json().error.code]).toEqual([404, 'model_not_found']);
    expect(late.json().error.message).toContain('org/tiny');
  });

  it('is served beside a routing service that the same settings configure', () => {
    expect(app.get(RoutingService).strategy).toBe('roundrobin');
  });
});
