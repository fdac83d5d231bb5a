const MAX_LENGTH = 128;
const SAFE = /^[A-Za-z0-9._:/+=@-]+$/;

/**
 * The client's `x-request-id` made safe for headers and logs: letters, digits and `._:/+=@-` stay, other
 * characters go, at most 128 remain. Null when nothing usable is left, so that a new id is made.
 */
export function sanitiseRequestId(given: string | undefined): string | null {
  if (given === undefined || given.length === 0) return null;
  if (given.length <= MAX_LENGTH && SAFE.test(given)) return given;
  const cleaned = given
    .slice(0, 4 * MAX_LENGTH)
    .replace(/[^A-Za-z0-9._:/+=@-]/g, '')
    .slice(0, MAX_LENGTH);
  return cleaned.length > 0 ? cleaned : null;
}
