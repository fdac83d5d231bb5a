import { failureMessage } from '../../../../src/core/kubernetes/api-status.js';

describe('failureMessage', () => {
  it('is the message of a Status object', () => {
    expect(failureMessage(403, '{"kind":"Status","message":"pods is forbidden"}')).toBe(
      'HTTP 403: pods is forbidden',
    );
  });

  it.each([
    ['', 'HTTP 500'],
    ['{}', 'HTTP 500'],
    ['null', 'HTTP 500'],
    ['bad\r\n\u001b[31m gateway ', 'HTTP 500: bad [31m gateway'],
  ])('turns %j into one line', (body, message) => {
    expect(failureMessage(500, body)).toBe(message);
  });

  it('is bounded', () => {
    expect(failureMessage(500, 'x'.repeat(100_000)).length).toBeLessThan(400);
  });
});
