/** An engine has sent what RFC 9112 does not allow. Nothing that follows on this connection can be trusted. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
  /** Known to `causeOfError`. */
  readonly code = 'ERR_ANSWER_NOT_HTTP';
}
