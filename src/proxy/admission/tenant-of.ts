import { headerValue, type RawHeaders } from '../../core/headers.js';

const LONGEST = 128;

/**
 * The name of the tenant that a request is of: what the header of `--tenant-header` says, at most 128 characters of
 * it; without one all are the same tenant.
 */
export function tenantOf(headers: RawHeaders, tenantHeader: string | null): string {
  const named = tenantHeader === null ? undefined : headerValue(headers, tenantHeader.toLowerCase());
  return named === undefined ? '' : named.slice(0, LONGEST);
}
