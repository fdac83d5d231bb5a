import { field, list, text } from '../../../core/kubernetes/object-meta.js';
import type { ApiConnection } from './api-connection.js';

/** Objects in one page of a list. */
const PAGE_SIZE = 500;
/** Pages in one list; with more, `continue` goes in circles. */
const MAX_PAGES = 100;

/** What is listed and watched. */
export interface ResourceQuery {
  /** In words, for messages: `pods in namespace default`. */
  readonly what: string;
  /** E.g. `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly labelSelector: string;
}

/** The path of a request for `resource`, with further parameters. */
export function pathOf(resource: ResourceQuery, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters);
  if (resource.labelSelector !== '') query.set('labelSelector', resource.labelSelector);
  return `${resource.path}?${query.toString()}`;
}

/**
 * Lists a resource page by page, a consistent read.
 *
 * @param visit called with each object
 * @returns the resourceVersion from which a watch continues
 * @throws {ApiFailure | Error} when a page fails; what was visited then is no whole set
 */
export async function listPages(
  connection: ApiConnection,
  resource: ResourceQuery,
  signal: AbortSignal,
  visit: (object: unknown) => void,
): Promise<string> {
  let next = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const parameters = { limit: String(PAGE_SIZE), ...(next !== '' && { continue: next }) };
    const answer = await connection.get(pathOf(resource, parameters), signal);
    if (!Array.isArray(field(answer, 'items'))) throw new Error('the answer is no list');
    for (const object of list(answer, 'items')) visit(object);
    const metadata = field(answer, 'metadata');
    next = text(metadata, 'continue');
    if (next === '') return text(metadata, 'resourceVersion');
  }
  throw new Error(`the list has more than ${MAX_PAGES} pages`);
}
