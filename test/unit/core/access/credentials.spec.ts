import {
  bearerKey,
  headerKey,
  withEngineKey,
  withoutCredentials,
} from '../../../../src/core/access/credentials.js';

const CLIENTS = ['Accept', '*/*', 'AUTHORIZATION', 'Bearer mine', 'X-Api-Key', 'mine too', 'X-Other', '1'];

describe('the key of a client', () => {
  it.each<[string, string | null]>([
    ['Bearer k', 'k'],
    ['bearer   k ', 'k'],
    ['BEARER k', 'k'],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearerk', null],
    ['Basic azpr', null],
    ['Bearer a b', null],
    ['', null],
  ])('is read from "Authorization: %s"', (value, key) => {
    expect(bearerKey(['authorization', value])).toBe(key);
  });

  it('is read from x-api-key', () => {
    expect(headerKey(['X-API-Key', ' k '])).toBe('k');
    expect(headerKey(['x-api-key', ''])).toBeNull();
    expect(headerKey(['x-api-keys', 'k'])).toBeNull();
  });

  it('is taken out in every spelling, and nothing else', () => {
    expect(withoutCredentials(CLIENTS)).toEqual(['Accept', '*/*', 'X-Other', '1']);
  });
});

describe('the headers for an engine', () => {
  it('are the same array when it wants no key', () => {
    expect(withEngineKey(CLIENTS, null, false)).toBe(CLIENTS);
  });

  it("have its key in place of the client's", () => {
    expect(withEngineKey(CLIENTS, 'its', false)).toEqual([
      ...['Accept', '*/*', 'X-Other', '1'],
      ...['Authorization', 'Bearer its'],
    ]);
  });

  it("keep the client's where that is asked for, and have its key where the client has none", () => {
    expect(withEngineKey(CLIENTS, 'its', true)).toBe(CLIENTS);
    expect(withEngineKey(['Accept', '*/*'], 'its', true)).toEqual([
      ...['Accept', '*/*'],
      ...['Authorization', 'Bearer its'],
    ]);
  });
});
