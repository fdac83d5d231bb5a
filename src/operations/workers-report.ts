/** How many processes serve the port. */
export interface WorkerCounts {
  /** `--workers`. */
  readonly configured: number;
  /** Those that serve now. */
  readonly running: number;
  /** Times a worker was started in place of one that had ended. */
  readonly restarts: number;
}

/** Tells `/health` of the workers; there is none in a router of one process. */
export abstract class WorkersReport {
  abstract readonly workers: WorkerCounts;
}
