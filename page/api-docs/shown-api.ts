import type {
  Answer,
  ApiDocument,
  Header,
  MediaType,
  Operation,
  Parameter,
  Reference,
} from '../../src/api-docs/openapi.js';

/** An operation with its place, and with what it has in common with others in place. */
export interface ShownOperation {
  readonly id: string;
  readonly tag: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly asksForKey: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: ({ readonly type: string } & MediaType) | null;
  readonly answers: readonly ShownAnswer[];
}

export interface ShownAnswer {
  /** `default` for any other. */
  readonly status: string;
  readonly description: string;
  readonly headers: readonly (readonly [name: string, header: Header])[];
  readonly content: readonly (readonly [type: string, media: MediaType])[];
}

/** What a reference within the document means; anything else is what it is. */
export function resolved<T>(document: ApiDocument, part: T | Reference): T {
  if (typeof part !== 'object' || part === null || !('$ref' in part)) return part;
  const path = part.$ref.split('/').slice(1);
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document) as T;
}

export const operationsOf = (document: ApiDocument): readonly ShownOperation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => shown(document, method, path, operation)),
  );

function shown(document: ApiDocument, method: string, path: string, operation: Operation): ShownOperation {
  const [body] = Object.entries(operation.requestBody?.content ?? {});
  return {
    id: operation.operationId,
    tag: operation.tags[0],
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    description: operation.description ?? '',
    asksForKey: operation.security !== undefined,
    parameters: (operation.parameters ?? []).map((parameter) => resolved(document, parameter)),
    body: body === undefined ? null : { type: body[0], ...body[1] },
    answers: Object.entries(operation.responses).map(([status, answer]) =>
      shownAnswer(document, status, answer),
    ),
  };
}

function shownAnswer(document: ApiDocument, status: string, given: Answer | Reference): ShownAnswer {
  const { description, headers = {}, content = {} } = resolved<Answer>(document, given);
  return {
    status,
    description,
    headers: Object.entries(headers).map(([name, header]) => [name, resolved<Header>(document, header)]),
    content: Object.entries(content),
  };
}
