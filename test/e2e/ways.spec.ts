import 'reflect-metadata';
import { ProxyController } from '../../src/proxy/proxy.controller.js';
import { settingsFor, startHostApplication } from '../support/host-application.js';
import {
  BODY_LIMIT,
  itKeepsThePromisesToClients,
  type RouterUnderTest,
  type ServedThere,
} from '../support/proxy.contract.js';
import { startTestRouter } from '../support/start-router.js';

type Client = 'http1' | 'undici';

/** Our own server, which takes the routes of the API before Fastify. */
function ownServer(engines: readonly ServedThere[], client: Client): Promise<RouterUnderTest> {
  const backed = engines.map(({ url, model }) => ({ url, models: [model] }));
  return startTestRouter(backed, ['--upstream-client', client, '--max-body-size', String(BODY_LIMIT)]);
}

/** An application of somebody else, in which Fastify and Nest find the route. */
function hostApplication(engines: readonly ServedThere[], client: Client): Promise<RouterUnderTest> {
  const limits = { upstreamClient: client, maxBodySize: BODY_LIMIT };
  return startHostApplication({
    settings: { ...settingsFor(engines), routingLogic: 'roundrobin', ...limits },
  });
}

const WAYS = [
  { way: 'the short way', start: ownServer, throughNest: false },
  { way: 'Nest’s way', start: hostApplication, throughNest: true },
] as const;
const CLIENTS = ['http1', 'undici'] as const;

describe.each(WAYS.flatMap((way) => CLIENTS.map((client) => ({ ...way, client }))))(
  '$way in and the client $client out',
  ({ start, client, throughNest }) => {
    // Nest takes the handler, with the metadata on it, when the application starts.
    const { api } = ProxyController.prototype;
    let handled: jest.SpyInstance;
    beforeAll(() => {
      handled = jest.spyOn(ProxyController.prototype, 'api');
      for (const key of Reflect.getMetadataKeys(api) as string[]) {
        Reflect.defineMetadata(key, Reflect.getMetadata(key, api), ProxyController.prototype.api);
      }
    });
    afterAll(() => {
      expect(handled.mock.calls.length > 0).toBe(throughNest);
      handled.mockRestore();
    });

    itKeepsThePromisesToClients((engines) => start(engines, client));
  },
);
