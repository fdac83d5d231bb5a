/** What an object of the Kubernetes API says of itself, read without trusting its shape. */
export interface ObjectMeta {
  /** Unique over time; a successor of the same name has another. */
  readonly uid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `deletionTimestamp` is set: it is going, however healthy it looks. */
  readonly terminating: boolean;
  /** RFC 3339, which sorts as text; empty when absent. */
  readonly created: string;
}

/** The most labels of one object that are kept, and the longest key and value (the API's own are shorter). */
const MAX_LABELS = 64;
const MAX_LABEL_KEY = 320;
const MAX_LABEL_VALUE = 256;
const MAX_NAME = 253;

/** An own property of any value, `undefined` where there is none. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** A string property, `''` where there is none. */
export function text(value: unknown, key: string): string {
  const found = field(value, key);
  return typeof found === 'string' ? found : '';
}

/** An array property, empty where there is none. */
export function list(value: unknown, key: string): readonly unknown[] {
  const found = field(value, key);
  return Array.isArray(found) ? found : [];
}

/** The metadata of an object; null when it has no usable name or uid. */
export function readMeta(object: unknown): ObjectMeta | null {
  const metadata = field(object, 'metadata');
  const uid = text(metadata, 'uid');
  const name = text(metadata, 'name');
  if (uid === '' || uid.length > MAX_NAME || !isDnsName(name)) return null;
  const deletion = field(metadata, 'deletionTimestamp');
  return {
    uid,
    name,
    labels: readLabels(field(metadata, 'labels')),
    terminating: deletion !== undefined && deletion !== null,
    created: text(metadata, 'creationTimestamp').slice(0, 64),
  };
}

/** RFC 1123 subdomain, the names that the API allows for pods, Services and EndpointSlices. */
function isDnsName(name: string): boolean {
  return (
    name.length <= MAX_NAME && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
  );
}

function readLabels(labels: unknown): Record<string, string> {
  if (typeof labels !== 'object' || labels === null) return {};
  const kept: [string, string][] = [];
  for (const [key, value] of Object.entries(labels)) {
    if (kept.length === MAX_LABELS) break;
    if (typeof value !== 'string' || key.length > MAX_LABEL_KEY || value.length > MAX_LABEL_VALUE) continue;
    kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}
