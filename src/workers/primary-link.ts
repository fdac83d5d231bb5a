import type { DecisionRecord } from '../core/decision.js';
import { RouterError } from '../core/errors.js';
import type { RenderedMetrics } from '../metrics/render-metrics.js';
import { type WorkerCounts, WorkersReport } from '../operations/workers-report.js';
import type {
  Beginning,
  PrimaryMessage,
  PrimaryNews,
  Question,
  RouterStatus,
  WorkerMessage,
} from './messages.js';

/** The parts of the news in the order in which they are taken. */
const ORDER = ['commit', 'status', 'fleet', 'stats', 'others', 'marks', 'progress', 'strategy'] as const;

type Handlers = { [Part in keyof PrimaryNews]-?: (part: NonNullable<PrimaryNews[Part]>) => void };
type Requests = { [T in PrimaryMessage['type']]?: (message: PrimaryMessage & { type: T }) => void };

/** Longest wait for what all workers tell, milliseconds: the primary waits for the others meanwhile. */
const WHOLE_MS = 2_000;
/** The same for what takes as long as a reload: its parts may take 30 s. */
const ORDER_MS = 35_000;
/** Questions that wait at the same time. */
const MAX_WAITING = 100;

/** A worker's line to the primary: what it is told goes to the part that it is for. */
export class PrimaryLink extends WorkersReport {
  status: RouterStatus;
  readonly #news: Partial<Handlers> = {};
  readonly #on: Requests = {};
  /** Questions by their ids; at most `MAX_WAITING`. */
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #last = 0;
  /** What has come before `open`: a batch each 20 ms of the start at most, and what is asked once. */
  #early: PrimaryMessage[] | null = [];

  constructor(readonly beginning: Beginning) {
    super();
    this.status = beginning.status;
    this.take('status', (status) => (this.status = status));
    this.on('rendered', ({ id, rendered }) => this.#waiting.get(id)?.(rendered));
    this.on('answer', ({ id, answer }) => this.#waiting.get(id)?.(answer));
    this.on('latest', ({ id, decisions }) => this.#waiting.get(id)?.(decisions));
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
    return this.#ask<RenderedMetrics>('metrics', (id) => ({ type: 'metrics', id }));
  }

  /**
   * The last decisions of all workers.
   * @throws {RouterError} 503 when the primary does not answer in time
   */
  async decisions(count: number): Promise<readonly DecisionRecord[]> {
    return this.#ask<readonly DecisionRecord[]>('decisions', (id) => ({ type: 'latest', id, count }));
  }

  /**
   * What the primary knows or does for operators.
   * @throws {RouterError} 503 when it does not answer in time
   */
  async ask<T>(what: Question): Promise<T> {
    const wait = what === 'retry' || what === 'reload' ? ORDER_MS : WHOLE_MS;
    return this.#ask<T>(what, (id) => ({ type: 'ask', id, what }), wait);
  }

  async #ask<T>(what: string, question: (id: number) => WorkerMessage, wait = WHOLE_MS): Promise<T> {
    const id = ++this.#last;
    const answer = await new Promise<unknown>((resolve) => {
      if (this.#waiting.size >= MAX_WAITING) return resolve(null);
      const late = setTimeout(() => resolve(null), wait).unref();
      this.#waiting.set(id, (told) => {
        clearTimeout(late);
        resolve(told);
      });
      this.tell(question(id));
    });
    this.#waiting.delete(id);
    if (answer === null) {
      throw new RouterError(503, 'overloaded', `The ${what} of all workers are not there in time.`, null, 1);
    }
    return answer as T;
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
