import { type Codes, errorAnswers } from './error-answers.js';
import { type Answer, type Answers, json, ref, type Schema } from './openapi.js';

/** What any request may be refused with, whatever it asks for. */
const ALWAYS = { 400: ['invalid_request'], 500: ['internal_error'] } as const satisfies Codes;

/** The errors of a route that the router answers itself. */
export const errors = (codes: Codes): Answers => errorAnswers({ ...ALWAYS, ...codes }, ref('RouterError'));

/** An answer of JSON. */
export const told = (description: string, schema: Schema, example?: unknown): Answer => ({
  description,
  content: json(schema, example),
});
