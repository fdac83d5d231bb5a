import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat, errorOf, rawExchange } from '../support/http-client.js';
import { startTestRouter } from '../support/start-router.js';

/** Routes of vLLM that change an engine or tell of its inside. */
const ROUTES =
  'tokenizer_info invocations load ping v1/load_lora_adapter v1/unload_lora_adapter adapters start_profile stop_profile ' +
  'scale_elastic_ep is_scaling_elastic_ep fault_tolerance/apply fault_tolerance/status abort_requests server_info ' +
  'reset_prefix_cache reset_mm_cache reset_encoder_cache sleep wake_up is_sleeping pause resume is_paused collective_rpc ' +
  'init_weight_transfer_engine start_weight_update update_weights finish_weight_update update_weight_version weight_info ' +
  'get_world_size docs redoc openapi.json kv_event_sources';

const encode = (text: string): string => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');

/** Ways to write a path that some server takes for `/name`. */
const disguises = (name: string): string[] => [
  `/${name}`,
  `/${name}/`,
  `//${name}`,
  `/./${name}`,
  `/v1/../${name}`,
  `/v1/%2e%2e/${name}`,
  `/v1/..%2f${name}`,
  `/v1%2f..%2f${name}`,
  `/v1/..;/${name}`,
  `/${name};a=b`,
  `/${name};a/../x`,
  `/${name}#/../x`,
  `/${name}%23/../x`,
  `/${name}%3fx/../y`,
  `/${name}/../x`,
  `/${name}/.`,
  `/${name.toUpperCase()}`,
  `/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
  `/${encode(name)}`,
  `/${encode(encode(name))}`,
  `/\\${name}`,
  `/v1\\..\\${name}`,
  `/%5c${name}`,
  `/%20${name}%20`,
  `/${name}%00`,
  `/${name}%0d%0a`,
  `/%c0%af${name}`,
  `/${name}%zz`,
];

describe('routes that change or reveal an engine', () => {
  let engine: SimulatedEngine;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
  });
  afterAll(() => engine.close());

  it('are not forwarded, however they are written', async () => {
    // The router's own /docs would stand before those of engines.
    const router = await startTestRouter([engine], ['--disable-api-docs']);
    const text = JSON.stringify(chat());
    const requests = ROUTES.split(' ').flatMap((name, i) =>
      // Every way for some, the plain and the fully encoded one for all.
      (i % 9 === 0 ? disguises(name) : disguises(name).filter((_, at) => at === 0 || at === 18)).flatMap(
        (path) => [
          `POST ${path} HTTP/1.1\r\nhost: r\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
          `GET ${path}${path.includes('#') ? '' : '?model=tiny'} HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n`,
        ],
      ),
    );
    const probes = engine.probes.length;
    for (let at = 0; at < requests.length; at += 20) {
      const answers = await Promise.all(
        requests.slice(at, at + 20).map(async (bytes) => [bytes, await rawExchange(router.url, bytes)]),
      );
      for (const [bytes, answer] of answers) {
        expect([bytes, answer]).toEqual([
          bytes,
          expect.stringMatching(/^HTTP\/1\.1 40[04] [\s\S]*\r\n\r\n\{"error":\{"message":/),
        ]);
      }
    }
    expect(engine.requestCount).toBe(0);
    // What the router has itself is answered there, and only as the router has it.
    for (const path of ['/health', '/metrics', '/version', '/ready'])
      expect((await ask(router.url + path)).status).toBe(200);
    for (const path of ['/health', '/metrics', '/version']) {
      expect((await ask(router.url + path, { method: 'POST', body: chat() })).status).toBe(404);
    }
    expect(engine.requestCount).toBe(0);
    expect(engine.probes.length - probes).toBeLessThanOrEqual(1);
    await router.close();
  });

  it('are forwarded one by one where the operator says so', async () => {
    const router = await startTestRouter(
      [engine],
      ['--allow-engine-path', '/tokenizer_info,/reset_prefix_cache'],
    );
    const before = engine.requestCount;
    expect((await ask(`${router.url}/tokenizer_info?model=tiny`)).body.toString()).toBe(
      '{"detail":"Not Found"}',
    );
    await ask(`${router.url}/reset_prefix_cache`, { body: { model: 'tiny' } });
    expect(engine.requestCount).toBe(before + 2);
    const other = await ask(`${router.url}/sleep`, { body: { model: 'tiny' } });
    expect([other.status, errorOf(other).code]).toEqual([404, 'route_not_found']);
    expect(engine.requestCount).toBe(before + 2);
    await router.close();
  });
});
