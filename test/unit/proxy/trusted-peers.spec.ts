import { TrustedPeers } from '../../../src/proxy/trusted-peers.js';

describe('trusted peers', () => {
  it.each<[string[], string, boolean]>([
    [[], '127.0.0.1', false],
    [['10.0.0.1'], '10.0.0.1', true],
    [['10.0.0.1'], '10.0.0.2', false],
    [['10.0.0.0/8', '::1'], '10.200.3.4', true],
    [['10.0.0.0/8'], '::ffff:10.1.1.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['fd00::/8'], 'fd12::1', true],
    [['fd00::/8'], 'fe80::1', false],
    [['::1'], '127.0.0.1', false],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['0.0.0.0/0'], 'unknown', false],
    [['10.0.0.0/8'], '', false],
  ])('of %j: %s is one: %s', (entries, address, trusted) => {
    expect(new TrustedPeers(entries).has(address)).toBe(trusted);
  });

  it('are addresses or ranges and nothing else', () => {
    for (const entry of ['', 'example.org', '10.0.0.1/33', '10.0.0.1/x', '10.0.0.1/', '::1/129', '10.0.0']) {
      expect(() => new TrustedPeers([entry])).toThrow(`--trusted-proxies: "${entry}"`);
    }
  });
});
