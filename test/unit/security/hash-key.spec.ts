import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { readKeyFile } from '../../../src/core/access/key-file.js';
import { hashKeyLine } from '../../../src/security/hash-key.command.js';
import { HashedKeys, hashKey } from '../../../src/security/hashed-keys.js';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

describe('hash-key', () => {
  it.each(['sk-1', 'sk-1\n', 'sk-1\r\n'])('prints the line for %j', async (text) => {
    const line = await hashKeyLine(['team-a'], Readable.from([text]));
    expect(line).toBe(`team-a:${sha256('sk-1')}\n`);
    expect(readKeyFile(line)).toEqual([{ name: 'team-a', hash: sha256('sk-1') }]);
  });

  it.each<[string, string[], string]>([
    ['no key', [], '\n'],
    ['a key with a space', [], 'a b'],
    ['two keys', [], 'a\nb\n'],
    ['a key without end', [], 'k'.repeat(10_000)],
    ['a name that is none', ['a:b'], 'k'],
  ])('refuses %s', async (_what, argv, text) => {
    await expect(hashKeyLine(argv, Readable.from([text]))).rejects.toThrow(/hash-key/);
  });
});

describe('hashed keys', () => {
  const keys = new HashedKeys([
    { name: 'a', hash: hashKey('one') },
    { name: 'b', hash: hashKey('two') },
    { name: 'a', hash: hashKey('three') },
  ]);

  it.each<[string[], string | null]>([
    [['authorization', 'Bearer one'], 'a'],
    [['Authorization', 'bearer two'], 'b'],
    [['X-Api-Key', 'three'], 'a'],
    [['authorization', 'Bearer none', 'x-api-key', 'two'], 'b'],
    [['authorization', 'Bearer one', 'x-api-key', 'none'], 'a'],
    [['authorization', 'Basic one'], null],
    [['authorization', 'Bearer One'], null],
    [['x-api-key', 'one\u00e9'], null],
    [['authorization', hashKey('one')], null],
    [['authorization', `Bearer ${hashKey('one')}`], null],
    [[], null],
  ])('know %j', (headers, name) => {
    expect(keys.nameIn(headers)).toBe(name);
  });
});
