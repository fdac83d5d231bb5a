import {
  causeOfError,
  endsRequest,
  isDeadline,
  isTimeout,
  takesBudget,
} from '../../../src/core/attempt-failure.js';
import { FAILURE_RULES } from '../../../src/core/health/failure-rules.js';

const coded = (code: string, name = 'Error'): object => ({ name, code });

describe('the cause of a failed attempt', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['EHOSTUNREACH', 'refused'],
    ['ENOTFOUND', 'unresolved'],
    ['EAI_AGAIN', 'unresolved'],
    ['EMFILE', 'no_socket'],
    ['EADDRNOTAVAIL', 'no_socket'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['UND_ERR_HEADERS_OVERFLOW', 'garbage'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'garbage'],
    ['ERR_ASSERTION', 'garbage'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['SOMETHING_NEW', 'reset'],
  ])('of error code %s is %s', (code, cause) => {
    expect(causeOfError(coded(code))).toBe(cause);
  });

  it('is found in errors without a code, and in several together', () => {
    expect(causeOfError(coded('', 'HTTPParserError'))).toBe('garbage');
    expect(causeOfError({ name: 'HTTPParserError' })).toBe('garbage');
    expect(causeOfError(new AggregateError([coded('ENOTFOUND'), coded('ECONNREFUSED')]))).toBe('unresolved');
    expect(causeOfError(new Error('x'))).toBe('reset');
    expect(causeOfError({ errors: [] })).toBe('reset');
  });

  it('is no fault of the engine where the client itself would not wait longer', () => {
    const deadlines = [
      'request_deadline',
      'connect_deadline',
      'first_byte_deadline',
      'idle_deadline',
    ] as const;
    for (const cause of deadlines) {
      expect([isDeadline(cause), isTimeout(cause), takesBudget(cause, false)]).toEqual([true, true, true]);
      expect(FAILURE_RULES[cause].weight).toBe('none');
    }
    expect(isDeadline('first_byte_timeout')).toBe(false);
    expect(deadlines.filter(endsRequest)).toEqual(['request_deadline']);
    expect([endsRequest('total_timeout'), endsRequest('shutdown'), endsRequest('reset')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('tells what the client hears, and whether a retry takes from the budget', () => {
    for (const cause of ['first_byte_timeout', 'idle_timeout', 'total_timeout', 'connect_timeout'] as const)
      expect(isTimeout(cause)).toBe(true);
    for (const cause of ['refused', 'dead', 'garbage', 'shutdown', 'busy'] as const)
      expect(isTimeout(cause)).toBe(false);
    for (const cause of [
      'refused',
      'reset',
      'dead',
      'garbage',
      'draining',
      'engine_dead',
      'abort',
      'tls',
    ] as const) {
      expect([cause, takesBudget(cause, false), takesBudget(cause, true)]).toEqual([cause, false, false]);
    }
    for (const cause of ['busy', 'http_5xx', 'error_event'] as const)
      expect([cause, takesBudget(cause, false), takesBudget(cause, true)]).toEqual([cause, false, true]);
    for (const cause of ['first_byte_timeout', 'connect_timeout', 'idle_timeout'] as const)
      expect([cause, takesBudget(cause, false), takesBudget(cause, true)]).toEqual([cause, true, true]);
  });
});
