import type { Context } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

/** Spans that may wait for the collector, those on their way included; some 3 KiB each. */
export const MOST_SPANS = 8_192;
const BATCH = 512;
/** How long a span waits for others to go with, milliseconds. */
const BATCH_MS = 250;

/** Who is told what becomes of spans. */
export interface ExportListener {
  /** The collector has taken some. */
  sent(): void;
  /** It has not, and they are given up. */
  lost(spans: number, error: Error): void;
  /** There are more than it takes: some were given up at once. */
  dropped(spans: number): void;
}

/** Hands spans over in batches, beside the requests. While the collector is slow or gone `MOST_SPANS` wait, and no more. */
export class BoundedExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  #waiting = 0;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly listener: ExportListener,
  ) {
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: MOST_SPANS,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: BATCH_MS,
    });
  }

  onStart(span: Span, context: Context): void {
    this.#batches.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    if (this.#waiting >= MOST_SPANS) {
      this.listener.dropped(1);
      return;
    }
    this.#waiting++;
    this.#batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  /** Sends what is left, and closes the connection. */
  shutdown(): Promise<void> {
    return this.#batches.shutdown();
  }

  #export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, ({ code, error }) => {
      this.#waiting -= spans.length;
      if (code === ExportResultCode.SUCCESS) this.listener.sent();
      else this.listener.lost(spans.length, error ?? new Error('they were refused'));
      // What has failed has been told of here, and is no business of the handlers of the process.
      done({ code: ExportResultCode.SUCCESS });
    });
  }
}
