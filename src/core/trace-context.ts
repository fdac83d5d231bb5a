import type { RawHeaders } from './headers.js';

/** Both headers of W3C Trace Context, section 3. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

const isContext = (name: string): boolean =>
  (name.length === 11 && name.toLowerCase() === 'traceparent') ||
  (name.length === 10 && name.toLowerCase() === 'tracestate');

/** The headers with this trace context in place of any that was there. */
export function withTraceContext(headers: RawHeaders, context: TraceContext): RawHeaders {
  const out: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!isContext(headers[i]!)) out.push(headers[i]!, headers[i + 1]!);
  }
  out.push('traceparent', context.traceparent);
  if (context.tracestate) out.push('tracestate', context.tracestate);
  return out;
}

/** The values of a header (lower-case name) in their order. */
export function headerValues(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === name.length && headers[i]!.toLowerCase() === name)
      values.push(headers[i + 1]!);
  }
  return values;
}
