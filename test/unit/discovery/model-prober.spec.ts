import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import {
  MAX_CARD,
  MAX_MODEL_ID,
  MAX_MODELS,
  ModelProber,
  readModels,
  sameModel,
} from '../../../src/discovery/model-prober.js';
import type { EngineAccess } from '../../../src/security/engine-access.js';

// What a real engine answers with one adapter loaded (vLLM 0.32).
const permission = (id: string) => [
  { id, object: 'model_permission', created: 1795352851, organization: '*' },
];
const base = { object: 'model', created: 1795352851, owned_by: 'vllm' };
const tiny = {
  id: 'tiny',
  ...base,
  root: '/models/tiny',
  parent: null,
  max_model_len: 8192,
  permission: permission('modelperm-1'),
};
const lora = {
  id: 'lora1',
  ...base,
  root: '/models/lora1',
  parent: 'tiny',
  max_model_len: null,
  permission: permission('modelperm-2'),
};
const listOf = (...data: unknown[]): string => JSON.stringify({ object: 'list', data });

describe('readModels', () => {
  it('reads every name with its parent and its card untouched', () => {
    expect(readModels(listOf(tiny, lora))).toEqual([
      { id: 'tiny', parent: null, card: tiny },
      { id: 'lora1', parent: 'tiny', card: lora },
    ]);
  });

  it('passes over what is no model', () => {
    const odd = [
      null,
      1,
      'tiny',
      [],
      {},
      { id: 5 },
      { id: '' },
      { id: 'x'.repeat(MAX_MODEL_ID + 1) },
      { id: { id: 'x' } },
    ];
    expect(readModels(listOf(...odd, tiny, { ...tiny, root: 'again' }))).toEqual([
      { id: 'tiny', parent: null, card: tiny },
    ]);
    expect(readModels(listOf({ id: 'x'.repeat(MAX_MODEL_ID) }))).toHaveLength(1);
    expect(readModels(listOf({ id: 'a', parent: 7 }))[0]?.parent).toBeNull();
  });

  it('hears the first 4,096 names of a longer list', () => {
    const many = Array.from({ length: MAX_MODELS + 100 }, (_, index) => ({ id: `m${index}` }));
    const models = readModels(listOf(...many));
    expect(models).toHaveLength(4_096);
    expect(models.at(-1)?.id).toBe('m4095');
  });

  it('takes the name but not the card of an entry that is too large or nested too deep to pass on', () => {
    expect(readModels(listOf({ id: 'big', note: 'x'.repeat(MAX_CARD) }))).toEqual([
      { id: 'big', parent: null },
    ]);
    const deep = `{"data":[{"id":"deep","nested":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}`;
    expect(readModels(deep)).toEqual([{ id: 'deep', parent: null }]);
  });

  it.each([
    '',
    'null',
    '[]',
    '"x"',
    '{}',
    '{"data":null}',
    '{"data":{}}',
    '{"data":[]}',
    '{"data":[{}]}',
    '<html>',
    '{"data":[',
  ])('refuses %s in words', (text) =>
    expect(() => readModels(text)).toThrow(/^GET \/v1\/models (answered no model list|names no model)$/),
  );

  it('returns models or throws an Error, for any JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(fc.jsonValue()).map((data) => JSON.stringify({ data })),
        ),
        (text) => {
          try {
            for (const { id } of readModels(text)) expect(typeof id).toBe('string');
          } catch (error) {
            expect(error).toHaveProperty('message', expect.stringMatching(/^GET \/v1\/models/));
          }
        },
      ),
    );
  });
});

describe('sameModel', () => {
  const served = (card: object) => readModels(listOf(card))[0]!;

  it('does not count what vLLM makes anew for each answer', () => {
    expect(
      sameModel(served(tiny), served({ ...tiny, created: 9, permission: permission('modelperm-9') })),
    ).toBe(true);
  });

  it.each([
    { ...tiny, max_model_len: 1 },
    { ...tiny, parent: 'x' },
    { ...tiny, id: 'other' },
    { ...tiny, more: 1 },
  ])('counts everything else', (card) => expect(sameModel(served(tiny), served(card))).toBe(false));

  it('tells a model with a card from one without', () => {
    expect(sameModel(served(tiny), { id: 'tiny', parent: null })).toBe(false);
    expect(sameModel({ id: 'tiny', parent: null }, { id: 'tiny', parent: null })).toBe(true);
  });
});

describe('ModelProber', () => {
  let engine: Server;
  let asked: IncomingMessage[];
  let answer: (response: ServerResponse) => void;
  const url = () => `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  const prober = new ModelProber();

  beforeEach(async () => {
    asked = [];
    engine = createServer((request, response) => {
      asked.push(request);
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(engine, 'listening');
  });

  afterEach(async () => {
    engine.closeAllConnections();
    engine.close();
    await once(engine, 'close');
  });

  it('asks GET /v1/models below the path prefix, with the key as bearer', async () => {
    answer = (response) => response.end(listOf(tiny));
    const access = {
      keyOf: (asks: string) => (asks === `${url()}/prefix` ? 'secret' : null),
    } as EngineAccess;
    const models = await new ModelProber(access).probe(`${url()}/prefix`, { timeoutMs: 5_000 });
    expect(models).toEqual([{ id: 'tiny', parent: null, card: tiny }]);
    expect(asked[0]).toMatchObject({ method: 'GET', url: '/prefix/v1/models' });
    expect(asked[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('sends no authorization without a key', async () => {
    answer = (response) => response.end(listOf(tiny));
    await prober.probe(url(), { timeoutMs: 5_000, apiKey: null });
    expect(asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each([401, 404, 500, 503])('fails on status %i, whatever the body says', async (status) => {
    answer = (response) => response.writeHead(status).end(listOf(tiny));
    await expect(prober.probe(url(), { timeoutMs: 5_000 })).rejects.toThrow(
      `GET /v1/models answered ${status}`,
    );
  });

  it('gives up on an engine that never answers', async () => {
    answer = () => {};
    await expect(prober.probe(url(), { timeoutMs: 50 })).rejects.toHaveProperty('name', 'TimeoutError');
  });

  it('gives up on an answer that does not end', async () => {
    answer = (response) => {
      const more = (): boolean => response.write(' '.repeat(256 * 1024));
      response.on('drain', more);
      while (more());
    };
    await expect(prober.probe(url(), { timeoutMs: 10_000 })).rejects.toThrow('larger than');
  });
});
