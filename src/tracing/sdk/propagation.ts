import { type Context, ROOT_CONTEXT, type TextMapGetter, type TextMapSetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { RawHeaders } from '../../core/headers.js';
import { headerValues, type TraceContext } from '../../core/trace-context.js';

const W3C = new W3CTraceContextPropagator();

const GETTER: TextMapGetter<RawHeaders> = {
  get: (headers, name) => {
    const values = headerValues(headers, name);
    // Two contexts are none (W3C Trace Context, section 3.2).
    return name === 'traceparent' && values.length !== 1 ? undefined : values;
  },
  keys: () => ['traceparent', 'tracestate'],
};
const SETTER: TextMapSetter<Record<string, string>> = {
  set: (carrier, name, value) => {
    carrier[name] = value;
  },
};

/** The context that a client's headers carry; an empty one where they carry none, or none that is valid. */
export const parentIn = (headers: RawHeaders): Context => W3C.extract(ROOT_CONTEXT, headers, GETTER);

/** The headers that hand a context on. */
export function contextOf(context: Context): TraceContext {
  const carrier: Record<string, string> = {};
  W3C.inject(context, carrier, SETTER);
  return carrier as unknown as TraceContext;
}
