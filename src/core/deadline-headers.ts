/** Headers by which a client shortens the timeouts of its request. They are meant for the router alone. */
export const DEADLINE_HEADERS = {
  request: 'x-request-timeout-ms',
  connect: 'x-connect-timeout-ms',
  firstByte: 'x-first-byte-timeout-ms',
  idle: 'x-idle-timeout-ms',
} as const;
