/**
 * Gathers news and sends them together: at most every `batchMs`, never while the message before is still
 * on its way, and never when there is nothing. What waits, waits with those who gather, within their bounds.
 */
export class NewsChannel<News> {
  #timer: NodeJS.Timeout | null = null;
  #sending = false;
  #waiting = false;
  #closed = false;

  /**
   * @param gather the news since the last call, or null
   * @param send must call `sent` once the message has left, or cannot leave
   */
  constructor(
    private readonly batchMs: number,
    private readonly gather: () => News | null,
    private readonly send: (news: News, sent: () => void) => void,
  ) {}

  /** There are news. */
  touch(): void {
    if (this.#timer !== null || this.#closed) return;
    if (this.#sending) this.#waiting = true;
    else this.#timer = setTimeout(() => this.flush(), this.batchMs).unref();
  }

  /** Sends now what there is. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed) return;
    if (this.#sending) return void (this.#waiting = true);
    const news = this.gather();
    if (news === null) return;
    this.#sending = true;
    this.send(news, () => {
      this.#sending = false;
      if (!this.#waiting) return;
      this.#waiting = false;
      this.touch();
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
