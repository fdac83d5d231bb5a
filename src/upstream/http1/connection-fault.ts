/** A connection to an engine did not come about or has ended. */
export class ConnectionFault extends Error {
  override readonly name = 'ConnectionFault';

  /** @param code as Node's own errors have it; known to `causeOfError` */
  constructor(
    readonly code: 'ECONNRESET' | 'ETIMEDOUT',
    message: string,
  ) {
    super(message);
  }
}

/** Whether the error may be the trace of an engine that closed an idle connection. */
export function tellsOfClose(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ECONNRESET' || code === 'EPIPE';
}
