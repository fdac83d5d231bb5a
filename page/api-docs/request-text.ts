import type { Parameter } from '../../src/api-docs/openapi.js';
import type { ShownOperation } from './shown-api.js';

/** What somebody fills in before a request is sent. */
export interface Filled {
  /** By parameter; what is empty is left out. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The body of the example, asking for `model` where there is one to ask for. */
export function exampleBody({ body }: ShownOperation, model: string | null): string {
  if (body?.example === undefined) return '';
  const example = body.example as Readonly<Record<string, unknown>>;
  const asked = model !== null && 'model' in example ? { ...example, model } : example;
  return JSON.stringify(asked, null, 2);
}

export function exampleParameters(
  { parameters }: ShownOperation,
  model: string | null,
): Filled['parameters'] {
  const filled = parameters.flatMap(({ name, example, in: place }) => {
    if (example === undefined) return [];
    return [
      [name, place === 'path' && name === 'model' && model !== null ? model : String(example)] as const,
    ];
  });
  return Object.fromEntries(filled);
}

const inPlace = (parameters: readonly Parameter[], place: Parameter['in'], filled: Filled['parameters']) =>
  parameters.flatMap(({ name, in: at }) => {
    const value = filled[name] ?? '';
    return at === place && value !== '' ? [[name, value] as const] : [];
  });

/** Path and query below the router's base, without a slash before it. */
export function targetOf({ path, parameters }: ShownOperation, filled: Filled['parameters']): string {
  let target = path.slice(1);
  for (const [name, value] of inPlace(parameters, 'path', filled)) {
    target = target.replace(`{${name}}`, value.split('/').map(encodeURIComponent).join('/'));
  }
  const query = new URLSearchParams(Object.fromEntries(inPlace(parameters, 'query', filled))).toString();
  return query === '' ? target : `${target}?${query}`;
}

export const headersOf = ({ parameters }: ShownOperation, filled: Filled['parameters']) =>
  inPlace(parameters, 'header', filled);

/** For a POSIX shell, as one word. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Whether a field of a form is a file. */
export const isFile = (value: unknown): boolean => value === '(bytes)';

/**
 * The request as a command for a POSIX shell. A key is not in it but `$KEY`.
 * @param base URL of the router, with a slash at its end
 */
export function curlText(operation: ShownOperation, base: string, { parameters, body }: Filled): string {
  const words = [quoted(base + targetOf(operation, parameters))];
  if (operation.asksForKey) words.push('-H "Authorization: Bearer $KEY"');
  for (const [name, value] of headersOf(operation, parameters))
    words.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (operation.body?.type === 'multipart/form-data') {
    for (const [name, value] of Object.entries(fieldsOf(body))) {
      words.push(isFile(value) ? `-F ${name}=@FILE` : `-F ${quoted(`${name}=${String(value)}`)}`);
    }
  } else if (operation.body !== null) {
    words.push(`-H 'content-type: application/json'`, `-d ${quoted(compact(body))}`);
  } else if (operation.method !== 'GET') words.unshift(`-X ${operation.method}`);
  const [first, ...more] = [...(operation.answers.some(streams) ? ['-N'] : []), ...words];
  return `curl ${[first, ...more].join(' \\\n    ').replace(/^-N \\\n {4}/, '-N ')}`;
}

const streams = ({ content }: ShownOperation['answers'][number]): boolean =>
  content.some(([type]) => type === 'text/event-stream');

function compact(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
}

/** The fields of a form; none while its text is no object. */
export function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
