import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Answer, ApiDocument, Operation } from '../../src/api-docs/openapi.js';

type Referring<T> = T | { readonly $ref: string };

/** Holds values against the schemas of an OpenAPI document. */
export class DocumentSchemas {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(readonly document: ApiDocument) {
    this.#ajv.addSchema(document, 'api');
  }

  /** What a reference within the document means; anything else is what it is. */
  resolve<T>(part: Referring<T>): T {
    if (typeof part !== 'object' || part === null || !('$ref' in part)) return part;
    const path = part.$ref.split('/').slice(1);
    return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], this.document) as T;
  }

  /** The answer that an operation documents for a status. */
  answer({ responses }: Operation, status: number | string): Answer | undefined {
    const given = responses[String(status)] ?? responses['default'];
    return given === undefined ? undefined : this.resolve<Answer>(given);
  }

  /** What is wrong with a value, in words; empty: nothing. */
  faults(schema: object, value: unknown): string[] {
    // References of the schema are into the document, whatever it is a part of.
    const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object;
    const validate = this.#ajv.compile(whole);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}
