/** One key of a client as it is kept: its name, which is the tenant, and the SHA-256 of the key in lower-case hex. */
export interface HashedKey {
  readonly name: string;
  readonly hash: string;
}

/** A file of client keys holds at most this many: each of them is compared with each key that comes. */
export const MOST_KEYS = 1_000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}$/;
const HASH = /^[0-9a-f]{64}$/i;

/** Whether `name` can stand for a tenant: in a file of keys, in a log line, in the label of a metric. */
export const isKeyName = (name: string): boolean => NAME.test(name);

/**
 * Reads a file of client keys: lines of `name:hash` with `#` comments, or JSON, a mapping of names to a hash or a list
 * of hashes. A name may have several keys, so that one can take the place of another.
 * @throws {Error} that names the line or the entry, and never what stands there: it may be a key
 */
export function readKeyFile(text: string): readonly HashedKey[] {
  const keys = /^\s*[{[]/.test(text) ? jsonKeys(text) : lineKeys(text);
  if (keys.length === 0) throw new Error('it holds no key');
  if (keys.length > MOST_KEYS) throw new Error(`it holds more than ${MOST_KEYS} keys`);
  const owners = new Map<string, string>();
  for (const { name, hash } of keys) {
    if (owners.has(hash)) throw new Error(`the key of ${name} is one of ${owners.get(hash)} already`);
    owners.set(hash, name);
  }
  return keys;
}

function lineKeys(text: string): HashedKey[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) return [];
    const colon = content.lastIndexOf(':');
    return [
      keyOf(content.slice(0, Math.max(colon, 0)).trim(), content.slice(colon + 1).trim(), `line ${at + 1}`),
    ];
  });
}

function jsonKeys(text: string): HashedKey[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The parser's own words would quote the file.
    throw new Error('it is not valid JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new Error('its JSON is no mapping of names to hashes');
  }
  return Object.entries(content).flatMap(([name, hashes], at) =>
    (Array.isArray(hashes) ? hashes : [hashes]).map((hash: unknown) =>
      keyOf(name, typeof hash === 'string' ? hash : '', `entry ${at + 1}`),
    ),
  );
}

function keyOf(name: string, hash: string, where: string): HashedKey {
  if (!HASH.test(hash)) {
    throw new Error(`${where} has no SHA-256 in hexadecimal; "vllm-router hash-key NAME" prints such a line`);
  }
  if (!isKeyName(name)) {
    throw new Error(`${where} has no name of letters, digits and ._@/- (at most 64 characters)`);
  }
  return { name, hash: hash.toLowerCase() };
}
