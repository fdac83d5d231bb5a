import type { Readable } from 'node:stream';
import { SettingsError } from '../config/settings-error.js';
import { isKeyName } from '../core/access/key-file.js';
import { hashKey } from './hashed-keys.js';

/** Longest key, in characters. */
const LONGEST = 4_096;

/**
 * `vllm-router hash-key [NAME]`: the line of `--api-key-file` for the key on standard input.
 * @throws {SettingsError} when the name or the key cannot be one
 */
export async function hashKeyLine(argv: readonly string[], input: Readable): Promise<string> {
  const [name = 'default', ...more] = argv;
  if (more.length > 0 || !isKeyName(name)) {
    throw new SettingsError(['hash-key takes one name of letters, digits and ._@/- (at most 64 characters)']);
  }
  let text = '';
  for await (const part of input.setEncoding('utf8') as AsyncIterable<string>) {
    text += part;
    if (text.length > LONGEST + 2) break;
  }
  const key = text.replace(/\r?\n$/, '');
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > LONGEST) {
    throw new SettingsError([
      `hash-key reads one key from standard input: printable ASCII without spaces, at most ${LONGEST} characters`,
    ]);
  }
  return `${name}:${hashKey(key)}\n`;
}
