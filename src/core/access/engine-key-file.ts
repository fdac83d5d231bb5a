/** Stands in a file of engine keys for every engine that has no line of its own. */
export const EVERY_OTHER = '*';

const KEY = /^[\x21-\x7e]{1,4096}$/;

/**
 * Reads a file of engine keys: lines of an engine's base URL and its key, with `#` comments.
 * @returns keys by base URLs without a slash at their end, and by `*`
 * @throws {Error} that names the line, and never what stands there
 */
export function readEngineKeyFile(text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  text.split(/\r?\n/).forEach((line, at) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) return;
    const [url = '', key = '', ...more] = content.split(/\s+/);
    const engine = url === EVERY_OTHER ? url : engineOf(url);
    if (engine === null) throw new Error(`line ${at + 1} does not begin with an http or https URL, or *`);
    if (!KEY.test(key) || more.length > 0) {
      throw new Error(`line ${at + 1} has no key of printable ASCII behind the URL`);
    }
    if (keys.has(engine)) throw new Error(`line ${at + 1} is for an engine that has a line already`);
    keys.set(engine, key);
  });
  if (keys.size === 0) throw new Error('it holds no key');
  return keys;
}

function engineOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, username, password, search, hash, href } = new URL(url);
  const plain = /^https?:$/.test(protocol) && username + password + search + hash === '';
  return plain ? href.replace(/\/+$/, '') : null;
}
