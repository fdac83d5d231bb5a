import { Validator } from '@seriousme/openapi-schema-validator';
import { apiDocument } from '../../../src/api-docs/api-document.js';
import type { ApiFacts } from '../../../src/api-docs/documented-route.js';
import type { Answer, ApiDocument, Operation } from '../../../src/api-docs/openapi.js';
import { type ErrorCode, ERROR_CODES } from '../../../src/core/error-code.js';
import { API_ROUTES } from '../../../src/proxy/api-routes.js';
import { DocumentSchemas } from '../../support/document-schemas.js';
import { readProjectFile } from '../../support/project-files.js';

const PLAIN: ApiFacts = {
  version: '1.2.3',
  rootPath: '',
  port: 'only',
  asksForKeys: false,
  hasAdminKey: false,
  sessionKey: null,
  admits: false,
  explains: false,
  hasPage: false,
};
const FULL: ApiFacts = {
  ...PLAIN,
  ...{
    asksForKeys: true,
    hasAdminKey: true,
    sessionKey: 'x-user',
    admits: true,
    explains: true,
    hasPage: true,
  },
};
const made = (facts: Partial<ApiFacts> = {}): ApiDocument => apiDocument({ ...PLAIN, ...facts }, 1_000);

interface Place {
  readonly path: string;
  readonly operation: Operation;
}
const placesOf = ({ paths }: ApiDocument): Place[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
const pathsOf = (document: ApiDocument): string[] => Object.keys(document.paths);
const API_PATHS = API_ROUTES.map((route) => `/${route}`);
const CLIENT_PATHS = [...API_PATHS, '/v1/models', '/v1/models/{model}'];
const PROBES = ['/health', '/ready', '/version'];
const ACTIONS = ['engines/drain', 'engines/return', 'discovery/retry', 'reload'].map(
  (name) => `/admin/${name}`,
);
const OPERATOR_PATHS = ['/metrics', '/debug/routing', '/dashboard', ...ACTIONS];

const documents: [string, ApiDocument][] = [
  ['a plain router', made()],
  ['a router with everything', made(FULL)],
  ['its main port', made({ ...FULL, port: 'main' })],
  ['its admin port', made({ ...FULL, port: 'admin' })],
];

describe.each(documents)('the document of %s', (_name, document) => {
  const schemas = new DocumentSchemas(document);
  const places = placesOf(document);

  it('is valid OpenAPI 3.1, as its standard has it', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)).toEqual(
      { valid: true },
    );
    expect(validator.version).toBe('3.1');
  });

  it('names each operation once', () => {
    const ids = places.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z]\w+$/i.test(id))).toEqual([]);
  });

  it('has examples of what its own schemas allow', () => {
    const examples = places.flatMap(({ path, operation }) => [
      ...Object.values(operation.requestBody?.content ?? {}).map((media) => ({ path, media })),
      ...Object.keys(operation.responses)
        .flatMap((status) => Object.values(schemas.answer(operation, status)?.content ?? {}))
        .map((media) => ({ path, media })),
    ]);
    const given = examples.filter(({ media }) => media.example !== undefined);
    expect(given.length).toBeGreaterThan(0);
    const wrong = given.map(
      ({ path, media }) => [path, schemas.faults(media.schema, media.example)] as const,
    );
    expect(wrong.filter(([, faults]) => faults.length > 0)).toEqual([]);
  });

  it('has an example of each request that has a body', () => {
    const bodies = places.flatMap(({ path, operation }) =>
      Object.values(operation.requestBody?.content ?? {}).map(({ example }) => ({ path, example })),
    );
    expect(bodies.filter(({ example }) => example === undefined)).toEqual([]);
  });

  it('holds nothing that no route refers to', () => {
    const text = JSON.stringify(document);
    for (const kind of ['schemas', 'headers', 'parameters', 'responses'] as const) {
      const names = Object.keys(document.components[kind] ?? {});
      expect(names.filter((name) => !text.includes(`"#/components/${kind}/${name}"`))).toEqual([]);
    }
  });

  it('leaves room for the fields that it does not know in what goes to engines', () => {
    for (const { path, operation } of places.filter((place) => API_PATHS.includes(place.path))) {
      const [media] = Object.values(operation.requestBody?.content ?? {});
      expect([path, media?.schema['additionalProperties']]).toEqual([path, true]);
    }
  });
});

describe('the routes of a document', () => {
  it('are those of clients and of operators, where there is one port', () => {
    expect(pathsOf(made())).toEqual([...CLIENT_PATHS, ...PROBES, '/metrics']);
    expect(new Set(pathsOf(made(FULL)))).toEqual(new Set([...CLIENT_PATHS, ...PROBES, ...OPERATOR_PATHS]));
  });

  it('are parted where there are two', () => {
    expect(pathsOf(made({ ...FULL, port: 'main' }))).toEqual([...CLIENT_PATHS, ...PROBES]);
    expect(new Set(pathsOf(made({ ...FULL, port: 'admin' })))).toEqual(
      new Set([...PROBES, ...OPERATOR_PATHS]),
    );
  });

  it('are below the root path on the main port alone', () => {
    expect(made({ rootPath: '/llm' }).servers).toEqual([{ url: '/llm' }]);
    expect(made().servers).toEqual([{ url: '/' }]);
    expect(made({ rootPath: '/llm', port: 'admin' }).servers).toEqual([{ url: '/' }]);
  });

  it('ask for the keys that the router asks for', () => {
    const keysOf = (document: ApiDocument): Record<string, string[]> =>
      Object.fromEntries(
        placesOf(document).map(({ path, operation }) => [
          path,
          (operation.security ?? []).flatMap((scheme) => Object.keys(scheme)),
        ]),
      );
    expect(new Set(Object.values(keysOf(made())).flat())).toEqual(new Set());
    const keys = keysOf(made(FULL));
    for (const path of CLIENT_PATHS) expect(keys[path]).toEqual(['clientKey', 'clientKeyHeader']);
    for (const path of [...PROBES, '/dashboard']) expect(keys[path]).toEqual([]);
    for (const path of ['/metrics', '/debug/routing', ...ACTIONS])
      expect(keys[path]).toEqual(['adminKey', 'adminKeyHeader']);
    for (const { path, operation } of placesOf(made(FULL)))
      expect([path, '401' in operation.responses]).toEqual([path, (keys[path] ?? []).length > 0]);
    const schemesOf = (facts: Partial<ApiFacts>): string[] =>
      Object.keys(made(facts).components.securitySchemes ?? {});
    expect(schemesOf(PLAIN)).toEqual([]);
    expect(schemesOf({ ...FULL, port: 'main' })).toEqual(['clientKey', 'clientKeyHeader']);
    expect(schemesOf({ ...FULL, port: 'admin' })).toEqual(['adminKey', 'adminKeyHeader']);
  });

  it('take the headers that the router reads', () => {
    const headersOf = (facts: Partial<ApiFacts>): string[] => {
      const schemas = new DocumentSchemas(made(facts));
      const chat = schemas.document.paths['/v1/chat/completions']?.post;
      return (chat?.parameters ?? []).map((given) => schemas.resolve<{ name: string }>(given).name);
    };
    const always = [
      ...['x-request-id', 'x-request-timeout-ms', 'x-connect-timeout-ms', 'x-first-byte-timeout-ms'],
      ...['x-idle-timeout-ms', 'x-vllm-priority'],
    ];
    expect(headersOf(PLAIN)).toEqual(always);
    expect(headersOf(FULL)).toEqual([...always, 'x-user', 'x-vllm-router-explain']);
  });
});

describe('the error codes', () => {
  const codesIn = (document: ApiDocument): Set<string> => {
    const schemas = new DocumentSchemas(document);
    const answers = placesOf(document).flatMap(({ operation }) =>
      Object.keys(operation.responses).map((status) => schemas.answer(operation, status) as Answer),
    );
    return new Set(
      answers.flatMap(({ description }) => [...description.matchAll(/^`(\w+)`:/gm)].map(([, c]) => c!)),
    );
  };

  it('are all documented at a route, but for those that no route answers with', () => {
    // Heads that are too large are refused before there is a route, streams break off in an event, and actions that are
    // off are in no document.
    const nowhere = new Set<ErrorCode>([
      'headers_too_large',
      'stream_interrupted',
      'actions_off',
      'route_not_found',
    ]);
    const codes = Object.keys(ERROR_CODES).filter((code) => !nowhere.has(code as ErrorCode));
    expect(codesIn(made(FULL))).toEqual(new Set(codes));
  });

  it('have the statuses that README.md tells', () => {
    const table = readProjectFile('README.md').matchAll(/^\| ([0-9, ]+) \| ((?:`\w+`(?:, )?)+) \|/gm);
    const rows = [...table].flatMap(([, statuses = '', codes = '']) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, code = ''], at) => {
        const list = statuses.split(', ').map(Number);
        // One status for all of the row, or one for each.
        return [code, list.length === 1 ? list[0]! : list[at]!] as const;
      }),
    );
    expect(rows.length).toBeGreaterThan(10);
    const wrong = rows.filter(([code, status]) => {
      const known: { readonly statuses: readonly number[] } | undefined = ERROR_CODES[code as ErrorCode];
      return !known?.statuses.includes(status);
    });
    expect(wrong).toEqual([]);
  });
});
