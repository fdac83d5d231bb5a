/** How the body of one answer goes to its client. */
export interface AnswerWriter {
  /** The body goes out in chunk framing, which the writer makes: `writeFramed` takes chunks as they came. */
  readonly framing: boolean;
  /** Sends bytes of the body; false asks to wait for `onceDrained`. */
  write(bytes: Buffer): boolean;
  /** Sends whole chunks in their framing, where `framing` says that the answer has it. */
  writeFramed(chunks: Buffer): boolean;
  /** Completes the answer, with last bytes if there are any. */
  end(bytes: Buffer | null): void;
  /** Calls back once the client has taken what was written. */
  onceDrained(resume: () => void): void;
}
