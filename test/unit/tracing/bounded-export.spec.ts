import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { BoundedExport, MOST_SPANS } from '../../../src/tracing/sdk/bounded-export.js';
import { until } from '../../support/until.js';

/** An exporter whose answers the test gives. */
class HeldExporter implements SpanExporter {
  answers = false;
  readonly open: { readonly spans: number; readonly done: (result: ExportResult) => void }[] = [];
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    if (this.answers) done({ code: ExportResultCode.SUCCESS });
    else this.open.push({ spans: spans.length, done });
  }
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

describe('spans on their way to a collector', () => {
  const told = { sent: 0, lost: 0, dropped: 0, error: '' };
  let exporter: HeldExporter;
  let provider: TracerProvider;

  beforeEach(() => {
    Object.assign(told, { sent: 0, lost: 0, dropped: 0, error: '' });
    exporter = new HeldExporter();
    const listener = {
      sent: () => void told.sent++,
      lost: (spans: number, { message }: Error) => {
        told.lost += spans;
        told.error = message;
      },
      dropped: (spans: number) => {
        told.dropped += spans;
      },
    };
    provider = new TracerProvider({ spanProcessors: [new BoundedExport(exporter, listener)] });
  });

  afterEach(async () => {
    exporter.answers = true;
    for (const { done } of exporter.open) done({ code: ExportResultCode.SUCCESS });
    await provider.shutdown();
  });

  const end = (count: number): void => {
    const tracer = provider.getTracer('test');
    for (let i = 0; i < count; i++) tracer.startSpan('one').end();
  };

  it('wait while it takes none, up to a bound that counts those it is being sent', async () => {
    end(MOST_SPANS + 100);
    expect(told.dropped).toBe(100);
    expect(exporter.open).toHaveLength(1);
    const { spans, done } = exporter.open.shift()!;
    done({ code: ExportResultCode.SUCCESS });
    expect(told).toMatchObject({ sent: 1, lost: 0 });
    end(spans + 1);
    expect(told.dropped).toBe(101);
    await until(() => exporter.open.length === 1);
  });

  it('are lost when it refuses them, which is told and thrown nowhere', async () => {
    end(3);
    await until(() => exporter.open.length === 1);
    exporter.open.shift()!.done({ code: ExportResultCode.FAILED, error: new Error('no room') });
    expect(told).toMatchObject({ sent: 0, lost: 3, error: 'no room' });
    end(1);
    const closed = provider.shutdown();
    await until(() => exporter.open.length === 1);
    exporter.open.shift()!.done({ code: ExportResultCode.FAILED });
    await closed;
    expect(told.lost).toBe(4);
  });
});
