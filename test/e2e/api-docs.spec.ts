import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RELAYED_ROUTES } from '../../src/api-docs/relayed-requests.js';
import type { ApiDocument, Operation } from '../../src/api-docs/openapi.js';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { createHttpAdapter } from '../../src/http-server.js';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { DocumentSchemas } from '../support/document-schemas.js';
import { settingsFor, startHostApplication } from '../support/host-application.js';
import { ask, type Answer, jsonOf } from '../support/http-client.js';
import { startRouterProcess } from '../support/router-process.js';
import { flagsFor, startTestRouter } from '../support/start-router.js';

/** Every model that an example asks for. */
const MODELS = [...new Set(Object.values(RELAYED_ROUTES).map(({ example }) => String(example['model'])))];
let engine: SimulatedEngine;
let router: RunningRouter | null = null;

beforeAll(async () => {
  engine = await startSimulatedEngine({ models: MODELS });
});
afterEach(async () => {
  await router?.close();
  router = null;
});
afterAll(async () => {
  await engine.close(0);
});

const start = async (...flags: string[]): Promise<string> => {
  router = await startTestRouter([engine], flags);
  return router.url;
};
const documentAt = async (url: string): Promise<ApiDocument> => {
  const answer = await ask(`${url}/openapi.json`);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
  return jsonOf<ApiDocument & Record<string, unknown>>(answer);
};
const ADDRESSES = ['/openapi.json', '/docs', '/docs/api-docs.js', '/docs/api-docs.css', '/docs/licences.txt'];
const statusesAt = async (url: string): Promise<number[]> =>
  Promise.all(ADDRESSES.map(async (path) => (await ask(url + path)).status));
const all = (status: number): number[] => ADDRESSES.map(() => status);

describe('the document', () => {
  it('has each route that there is, and no other', async () => {
    const argv = flagsFor([engine], ['--dashboard', '--allow-explain', '--admin-key', 'boss']);
    const loaded = loadSettings({ argv, env: {}, readFile: () => '' });
    const adapter = createHttpAdapter(loaded.settings);
    const routes = new Set<string>();
    adapter.getInstance().addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.add(`${one} ${url}`);
    });
    const module = AppModule.register(loaded, { strategies: [], discoveries: [], settings: {} });
    const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
      bodyParser: false,
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const document = await documentAt(await app.getUrl());
    await app.close();
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('{model}', '*')}`),
    );
    // HEAD stands beside each GET, every other path is offered to engines, and pages have files of their own.
    const beside = /^(HEAD )|^\w+ \/?\*$|^GET \/(docs|openapi\.json|dashboard\/.*)/;
    expect([...routes].filter((route) => !beside.test(route)).sort()).toEqual(documented.sort());
  });

  it('is the same until its router is another, and says so', async () => {
    const url = await start();
    const { headers, body } = await ask(`${url}/openapi.json`);
    const head = await ask(`${url}/openapi.json`, { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers.etag]).toEqual([200, 0, headers.etag]);
    expect(head.headers['content-length']).toBe(String(body.length));
    for (const tag of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
      const again = await ask(`${url}/openapi.json`, { headers: { 'if-none-match': String(tag) } });
      expect([tag, again.status, again.body.length]).toEqual([tag, 304, 0]);
    }
    expect((await ask(`${url}/openapi.json`, { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  it('names no engine and no key', async () => {
    const flags = ['--admin-key', 'boss-key', '--api-key', 'client-key', '--tenant-header', 'x-team'];
    const url = await start(...flags, '--dashboard', '--allow-explain');
    const text = (await ask(`${url}/openapi.json`)).body.toString();
    for (const secret of [engine.url, new URL(engine.url).port, 'boss-key', 'client-key', 'x-team'])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });

  it('may be read by pages of the origins that may ask the router', async () => {
    const url = await start('--allowed-origins', 'https://app.example');
    const { headers } = await ask(`${url}/openapi.json`, { headers: { origin: 'https://app.example' } });
    expect(headers['access-control-allow-origin']).toBe('https://app.example');
  });
});

describe('where the document and its page are', () => {
  it('is on the only port, for everybody', async () => {
    expect(await statusesAt(await start('--api-key', 'one', '--admin-key', 'boss'))).toEqual(all(200));
  });

  it('is on both ports, each with its own routes', async () => {
    const url = await start('--admin-port', '0', '--admin-key', 'boss');
    const admin = `http://127.0.0.1:${router!.adminPort}`;
    expect([await statusesAt(url), await statusesAt(admin)]).toEqual([all(200), all(200)]);
    const [main, operators] = [await documentAt(url), await documentAt(admin)];
    expect(Object.keys(main.paths)).toContain('/v1/chat/completions');
    expect(Object.keys(main.paths)).not.toContain('/metrics');
    expect(Object.keys(operators.paths)).toContain('/admin/reload');
    expect(Object.keys(operators.paths)).not.toContain('/v1/models');
  });

  it('is nowhere with --disable-api-docs, at no engine either', async () => {
    const url = await start('--disable-api-docs');
    const before = engine.requestCount;
    expect(await statusesAt(url)).toEqual(all(404));
    expect((await ask(`${url}/openapi.json?model=${encodeURIComponent(MODELS[0]!)}`)).status).toBe(404);
    expect(engine.requestCount).toBe(before);
  });

  it('is in no application around the router, unless it asks for it', async () => {
    const settings = { ...settingsFor([{ url: engine.url, model: MODELS[0]! }]), routingLogic: 'roundrobin' };
    const without = await startHostApplication({ settings });
    expect(await statusesAt(without.url)).toEqual(all(404));
    await without.close();
    const own = await startHostApplication({ settings: { ...settings, disableApiDocs: false } });
    expect(await statusesAt(own.url)).toEqual(all(200));
    await own.close();
  });

  it('is in each of several workers', async () => {
    const quick = ['--shutdown-delay', '0', '--shutdown-timeout', '0'];
    const several = await startRouterProcess([engine], ['--workers', '2', '--allow-explain', ...quick]);
    // Connections go to the workers in turn.
    const answers = await Promise.all([1, 2].map(async () => ask(`${several.url}/openapi.json`)));
    expect(answers[1]!.headers.etag).toBe(answers[0]!.headers.etag);
    expect(await statusesAt(several.url)).toEqual(all(200));
    await several.kill();
  });

  it('has one address, loads nothing from elsewhere and is never framed', async () => {
    const url = await start();
    for (const path of ['/docs/', '/docs/api-docs.html']) {
      const { status, headers } = await ask(url + path);
      expect([status, headers.location]).toEqual([308, '../docs']);
    }
    for (const name of ['page.js', 'index.html', '..%2fmain.js', '%2e%2e/package.json', 'constructor'])
      expect([name, (await ask(`${url}/docs/${name}`)).status]).toEqual([name, 404]);
    const { headers, body } = await ask(`${url}/docs`);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
    expect(body.toString()).not.toMatch(/<style|style=|<script(?![^>]* src=)|https?:\/\//);
  });
});

describe('the examples of the document', () => {
  /** Routes that no simulated engine has. */
  const UNSERVED = /^\/v1\/(audio\/speech|images\/)/;
  const formOf = (example: Readonly<Record<string, unknown>>): FormData => {
    const form = new FormData();
    for (const [name, value] of Object.entries(example)) {
      if (value === '(bytes)') form.append(name, new Blob(['RIFF']), 'sound.wav');
      else form.append(name, String(value));
    }
    return form;
  };
  const filledIn = (path: string, { parameters = [] }: Operation): string =>
    parameters.reduce((filled, parameter) => {
      if ('$ref' in parameter || parameter.in !== 'path') return filled;
      return filled.replace(`{${parameter.name}}`, encodeURIComponent(String(parameter.example)));
    }, path);

  const sendTo = async (url: string, method: string, operation: Operation, more: object): Promise<Answer> => {
    const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    const example = media === undefined ? undefined : { ...(media.example as object), ...more };
    const form = type === 'multipart/form-data';
    const answer = await fetch(url, {
      method: method.toUpperCase(),
      headers: { 'x-api-key': 'boss', ...(type === 'application/json' ? { 'content-type': type } : {}) },
      body: example === undefined ? null : form ? formOf(example) : JSON.stringify(example),
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      rawHeaders: [],
      body: Buffer.from(await answer.arrayBuffer()),
    };
  };

  it('run, and are answered as documented', async () => {
    const url = await start('--admin-key', 'boss', '--allow-explain', '--dashboard');
    const document = await documentAt(url);
    const schemas = new DocumentSchemas(document);
    let run = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const streams = Object.keys(schemas.answer(operation, 200)?.content ?? {}).includes(
          'text/event-stream',
        );
        for (const more of streams ? [{}, { stream: true }] : [{}]) {
          // What an engine is called here is no part of the document, and nobody is to be drained.
          const named = path.startsWith('/admin/engines/') ? { engine: engine.url } : more;
          const answer = await sendTo(url + filledIn(path, operation), method, operation, named);
          const wanted = UNSERVED.test(path) ? 404 : path === '/admin/reload' ? 409 : 200;
          expect([path, answer.status]).toEqual([path, wanted]);
          const documented = schemas.answer(operation, answer.status);
          const type = String(answer.headers['content-type']).split(';', 1)[0]!;
          const media = documented?.content?.[type] ?? documented?.content?.['*/*'];
          expect([path, type, media !== undefined]).toEqual([path, type, true]);
          if (type === 'application/json') {
            expect([path, schemas.faults(media!.schema, jsonOf(answer))]).toEqual([path, []]);
          }
          for (const [name, header] of Object.entries(documented?.headers ?? {})) {
            const { required = false } = schemas.resolve<{ required?: boolean }>(header);
            expect([path, name, required && !(name in answer.headers)]).toEqual([path, name, false]);
          }
          run++;
        }
      }
    }
    expect(run).toBeGreaterThan(30);
  });
});
