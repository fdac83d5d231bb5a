/** Times of a list and watch, milliseconds. The defaults keep the fleet within 2 s of the cluster. */
export interface ListWatchLimits {
  readonly connectMs: number;
  /** For the head of an answer, and for a page of a list as a whole. */
  readonly answerMs: number;
  /** Between PINGs on the watch's connection. */
  readonly pingMs: number;
  /** Without an answer to a PING, the connection is given up. */
  readonly stallMs: number;
  /** Without a byte for so long, a watch on a connection without PING (HTTP/1.1) is opened anew. */
  readonly quietMs: number;
  /** Between full lists beside a healthy watch. */
  readonly resyncMs: number;
  /** Between full lists where watching is denied: with the list's own time, under 2 s. */
  readonly pollMs: number;
  /** The longest back-off. */
  readonly retryMs: number;
  /** A session that lived so long is no repeated failure. */
  readonly steadyMs: number;
  /** A watch that ends sooner than this ended too soon. */
  readonly shortWatchMs: number;
}

export const LIST_WATCH_LIMITS: ListWatchLimits = {
  connectMs: 2_000,
  answerMs: 5_000,
  pingMs: 1_000,
  stallMs: 4_000,
  quietMs: 30_000,
  resyncMs: 300_000,
  pollMs: 1_250,
  retryMs: 1_500,
  steadyMs: 5_000,
  shortWatchMs: 500,
};
