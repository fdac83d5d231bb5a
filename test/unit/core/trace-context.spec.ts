import { headerValues, withTraceContext } from '../../../src/core/trace-context.js';

describe('headers with a trace context', () => {
  const given = ['TraceParent', 'a', 'x', '1', 'tracestate', 's=1', 'traceparent', 'b', 'baggage', 'k=v'];

  it('have it in place of every one that was there, and nothing else is changed', () => {
    const told = withTraceContext(given, { traceparent: 'new', tracestate: 't=1' });
    expect(told).toEqual(['x', '1', 'baggage', 'k=v', 'traceparent', 'new', 'tracestate', 't=1']);
    expect(given).toHaveLength(10);
  });

  it('have no state where the context has none', () => {
    expect(withTraceContext(given, { traceparent: 'new' })).toEqual([
      'x',
      '1',
      'baggage',
      'k=v',
      'traceparent',
      'new',
    ]);
    expect(withTraceContext([], { traceparent: 'new', tracestate: '' })).toEqual(['traceparent', 'new']);
  });

  it('tell all values of one name in their order', () => {
    expect(headerValues(given, 'traceparent')).toEqual(['a', 'b']);
    expect(headerValues(given, 'absent')).toEqual([]);
  });
});
