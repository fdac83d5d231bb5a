import { RouterError } from '../core/errors.js';
import type { RenderedMetrics } from '../metrics/render-metrics.js';
import { type WorkerCounts, WorkersReport } from '../operations/workers-report.js';
import type { Beginning, PrimaryMessage, PrimaryNews, RouterStatus, WorkerMessage } from './messages.js';

/** The parts of the news in the order in which they are taken. */
const ORDER = ['commit', 'status', 'fleet', 'stats', 'others', 'marks'] as const;

type Handlers = { [Part in keyof PrimaryNews]-?: (part: NonNullable<PrimaryNews[Part]>) => void };
type Requests = { [T in PrimaryMessage['type']]?: (message: PrimaryMessage & { type: T }) => void };

/** Longest wait for `/metrics` of the whole, milliseconds: the primary waits for the other workers meanwhile. */
const METRICS_MS = 2_000;
/** Scrapes that wait at the same time. */
const MAX_WAITING = 100;

/** A worker's line to the primary: what it is told goes to the part that it is for. */
export class PrimaryLink extends WorkersReport {
  status: RouterStatus;
  readonly #news: Partial<Handlers> = {};
  readonly #on: Requests = {};
  /** Scrapes by their ids; at most `MAX_WAITING`. */
  readonly #waiting = new Map<number, (rendered: RenderedMetrics | null) => void>();
  #last = 0;
  /** What has come before `open`: a batch each 20 ms of the start at most, and what is asked once. */
  #early: PrimaryMessage[] | null = [];

  constructor(readonly beginning: Beginning) {
    super();
    this.status = beginning.status;
    this.take('status', (status) => (this.status = status));
    this.on('rendered', ({ id, rendered }) => this.#waiting.get(id)?.(rendered));
    this.on('news', ({ news }) => this.#told(news));
    process.on('message', (message: PrimaryMessage) => this.#heard(message));
  }

  /** Waits for what the primary has this worker begin with. */
  static begin(): Promise<PrimaryLink> {
    return new Promise((resolve) => {
      // Made within the event: the next message may follow in the same turn.
      process.once('message', (message: PrimaryMessage) => {
        if (message.type === 'begin') resolve(new PrimaryLink(message.beginning));
      });
      tell({ type: 'up' });
    });
  }

  /** All parts are there: what has come meanwhile goes to them, in its order. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const message of early) this.#heard(message);
  }

  override get workers(): WorkerCounts {
    return this.status.workers;
  }

  /** Who takes one part of the news. */
  take<Part extends keyof PrimaryNews>(part: Part, handler: Handlers[Part]): void {
    this.#news[part] = handler;
  }

  /** Who does what the primary asks for. */
  on<T extends PrimaryMessage['type']>(
    type: T,
    handler: (message: PrimaryMessage & { type: T }) => void,
  ): void {
    this.#on[type] = handler as Requests[T];
  }

  tell(message: WorkerMessage, sent?: () => void): void {
    tell(message, sent);
  }

  /**
   * `/metrics` of all workers.
   * @throws {RouterError} 503 when the primary does not answer in time: figures of one worker alone would
   * look like counters that have gone down
   */
  async metrics(): Promise<RenderedMetrics> {
    const id = ++this.#last;
    const rendered = await new Promise<RenderedMetrics | null>((resolve) => {
      if (this.#waiting.size >= MAX_WAITING) return resolve(null);
      const late = setTimeout(() => resolve(null), METRICS_MS).unref();
      this.#waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      this.tell({ type: 'metrics', id });
    });
    this.#waiting.delete(id);
    if (rendered === null) {
      throw new RouterError(503, 'overloaded', 'The metrics of all workers are not there in time.', null, 1);
    }
    return rendered;
  }

  #heard(message: PrimaryMessage): void {
    if (this.#early !== null) return void this.#early.push(message);
    const handler = this.#on[message.type] as ((message: PrimaryMessage) => void) | undefined;
    handler?.(message);
  }

  #told(news: PrimaryNews): void {
    for (const part of ORDER) {
      const told = news[part];
      if (told !== undefined) (this.#news[part] as ((part: unknown) => void) | undefined)?.(told);
    }
  }
}

/** `sent` is called once the message has left, or cannot leave. */
function tell(message: WorkerMessage, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent());
  else setImmediate(sent);
}
