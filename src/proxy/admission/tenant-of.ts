import { headerValue, type RawHeaders } from '../../core/headers.js';

const LONGEST = 128;

/**
 * The name of the tenant that a request is of: what the header of `--tenant-header` says, at most 128 characters of
 * it; without such a setting the name of the client's key; without keys all are the same tenant.
 *
 * @param principal the name of the key that the request came with; null where no key is asked for
 */
export function tenantOf(headers: RawHeaders, tenantHeader: string | null, principal: string | null): string {
  if (tenantHeader === null) return principal ?? '';
  return headerValue(headers, tenantHeader.toLowerCase())?.slice(0, LONGEST) ?? '';
}
