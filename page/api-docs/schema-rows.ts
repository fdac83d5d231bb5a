import type { ApiDocument, Reference, Schema } from '../../src/api-docs/openapi.js';
import { resolved } from './shown-api.js';

/** One field of a body. */
export interface SchemaRow {
  /** From the top, as `choices[].message.role`. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** Levels of objects that are shown; deeper ones are the engine's. */
const DEEPEST = 4;

/** The fields that a schema names, each before those within it. */
export function schemaRows(document: ApiDocument, schema: Schema | Reference): readonly SchemaRow[] {
  const rows: SchemaRow[] = [];
  const add = (given: unknown, path: string, level: number): void => {
    const { properties, required = [], items, anyOf } = resolvedSchema(document, given);
    if (items !== undefined) add(items, `${path}[]`, level);
    for (const one of anyOf ?? []) add(one, path, level);
    if (level > DEEPEST) return;
    for (const [name, property] of Object.entries(properties ?? {})) {
      const at = path === '' || path.endsWith('.') ? path + name : `${path}.${name}`;
      if (rows.some((row) => row.path === at)) continue;
      const { description = '' } = resolvedSchema(document, property);
      rows.push({
        path: at,
        type: typeText(document, property),
        required: required.includes(name),
        description,
      });
      add(property, at, level + 1);
    }
  };
  add(schema, '', 1);
  return rows;
}

interface Parts {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly items?: unknown;
  readonly anyOf?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

const resolvedSchema = (document: ApiDocument, schema: unknown): Parts => resolved(document, schema as Parts);

/** What a value of a schema is, in words. */
export function typeText(document: ApiDocument, given: unknown): string {
  const schema = resolvedSchema(document, given);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map((one) => typeText(document, one)))].join(' or ');
  if (schema.items !== undefined) return `array of ${typeText(document, schema.items)}`;
  const types = [schema.type ?? 'anything'].flat().join(' or ');
  const range = rangeText(schema);
  return range === '' ? types : `${types}, ${range}`;
}

function rangeText({ minimum, maximum }: Parts): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${minimum} or more`;
  return maximum === undefined ? '' : `${maximum} at most`;
}
