/** The parts of an OpenAPI 3.1 document that the router writes (https://spec.openapis.org/oas/v3.1.1). */

/** JSON Schema 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Reference {
  readonly $ref: string;
}

export interface MediaType {
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
  readonly example?: string | number;
}

export interface Header {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

/** By status; one that several routes have in common refers to `components`. */
export type Answers = Readonly<Record<string, Answer | Reference>>;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly [string];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Answers;
  readonly security?: readonly Readonly<Record<string, readonly []>>[];
}

export interface ApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<'get' | 'post', Operation>>>>>;
  readonly components: Components;
}

export type ComponentKind = 'schemas' | 'headers' | 'parameters' | 'responses' | 'securitySchemes';

export type Components = { readonly [Kind in ComponentKind]?: Readonly<Record<string, unknown>> };

export const refTo = (kind: ComponentKind, name: string): Reference => ({
  $ref: `#/components/${kind}/${name}`,
});

/** A schema of `components`. */
export const ref = (name: string): Schema => ({ ...refTo('schemas', name) });

/** An object with these properties, and whatever else comes. */
export const object = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema => ({
  type: 'object',
  ...(required.length > 0 ? { required } : {}),
  properties,
  additionalProperties: true,
});

export const list = (items: Schema): Schema => ({ type: 'array', items });

export const orNull = (type: string): Schema => ({ type: [type, 'null'] });

export const json = (schema: Schema, example?: unknown): Readonly<Record<string, MediaType>> => ({
  'application/json': example === undefined ? { schema } : { schema, example },
});
