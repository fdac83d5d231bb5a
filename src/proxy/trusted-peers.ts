import { BlockList, isIP } from 'node:net';

/**
 * Tells whether a peer's address is one of `--trusted-proxies` (addresses or CIDR ranges, IPv4 and IPv6;
 * IPv4 addresses mapped into IPv6 count as IPv4).
 */
export class TrustedPeers {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @throws {Error} naming the first entry that is no address and no CIDR range */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0;
    for (const entry of entries) this.#add(entry.trim());
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? null : Number(prefix);
    const most = family === 6 ? 128 : 32;
    if (family === 0 || (bits !== null && (!/^\d{1,3}$/.test(prefix!) || bits > most))) {
      throw new Error(`--trusted-proxies: "${entry}" is neither an IP address nor a CIDR range`);
    }
    const kind = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === null) this.#list.addAddress(address, kind);
    else this.#list.addSubnet(address, bits, kind);
  }
}
