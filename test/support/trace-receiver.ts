import { EventEmitter, once } from 'node:events';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
// The official definitions, compiled: an older release of the same package ships them.
import definitions from 'otlp-definitions/build/src/generated/root.js';

type AttributeValue = string | number | boolean;

/** A span as a collector gets it; ids in hex. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentId: string;
  readonly traceState: string;
  readonly name: string;
  /** A word of the definitions, `SPAN_KIND_SERVER` for one. */
  readonly kind: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly resource: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly string[];
  readonly isError: boolean;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
}

interface Message<T> {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): T;
  encode(message: object): { finish(): Uint8Array };
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, AttributeValue>>;
}

/** A span by the definitions, as `PLAIN` spells it. */
interface PlainSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly { readonly name: string }[];
  readonly status: { readonly code: string } | null;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

interface PlainRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly PlainSpan[] }[];
  }[];
}

const PLAIN = { longs: String, enums: String, bytes: String, arrays: true };
const { v1 } = (definitions as unknown as Definitions).opentelemetry.proto.collector.trace;
interface Definitions {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: {
          readonly v1: {
            readonly ExportTraceServiceRequest: Message<PlainRequest>;
            readonly ExportTraceServiceResponse: Message<object>;
          };
        };
      };
    };
  };
}

/** A collector that takes OTLP over gRPC, on the official definitions. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly #server = new Server();
  readonly #events = new EventEmitter();
  #port = 0;

  static async start(
    port = 0,
    credentials: ServerCredentials = ServerCredentials.createInsecure(),
  ): Promise<TraceReceiver> {
    const receiver = new TraceReceiver();
    receiver.#server.addService(SERVICE, {
      export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        receiver.#take(call.request);
        done(null, Buffer.from(v1.ExportTraceServiceResponse.encode({}).finish()));
      },
    });
    receiver.#port = await new Promise((resolve, reject) =>
      receiver.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return receiver;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The spans of one trace or with one request id, once so many have come; the server's before its attempts. */
  async trace(id: string, count: number): Promise<ReceivedSpan[]> {
    for (;;) {
      const root = this.spans.find(
        ({ traceId, attributes }) => traceId === id || attributes['vllm.request_id'] === id,
      );
      const found = this.spans.filter(({ traceId }) => traceId === root?.traceId);
      if (found.length >= count) return found.sort((a, b) => Number(a.start - b.start));
      await once(this.#events, 'spans');
    }
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #take(bytes: Buffer): void {
    this.spans.push(...spansIn(bytes));
    this.#events.emit('spans');
  }
}

/** The spans of one request to a collector. */
export function spansIn(bytes: Buffer): ReceivedSpan[] {
  const { ExportTraceServiceRequest: type } = v1;
  return type.toObject(type.decode(bytes), PLAIN).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = valuesOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => received(span, about)));
  });
}

const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const SERVICE = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
} as const;

const hex = (base64?: string): string => Buffer.from(base64 ?? '', 'base64').toString('hex');

function valuesOf(pairs: readonly KeyValue[]): Record<string, AttributeValue> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const [kind, held] = Object.entries(value)[0]!;
      return [key, kind === 'intValue' ? Number(held) : held];
    }),
  );
}

function received(span: PlainSpan, resource: ReceivedSpan['resource']): ReceivedSpan {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    traceState: span.traceState ?? '',
    name: span.name,
    kind: span.kind,
    attributes: valuesOf(span.attributes),
    resource,
    events: span.events.map(({ name }) => name),
    isError: span.status?.code === 'STATUS_CODE_ERROR',
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
  };
}
