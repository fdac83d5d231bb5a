import { otlpEndpoint } from '../../../src/core/otlp-endpoint.js';

describe('the address of a collector', () => {
  it.each([
    ['collector', false, 'grpc', 'http://collector:4317'],
    ['collector:4317', false, 'grpc', 'http://collector:4317'],
    ['collector:4317', true, 'grpc', 'https://collector:4317'],
    ['http://collector:9000', false, 'grpc', 'http://collector:9000'],
    ['https://collector', false, 'grpc', 'https://collector:4317'],
    ['https://collector:443', false, 'grpc', 'https://collector:443'],
    ['HTTP://[::1]:4317/', false, 'grpc', 'http://[::1]:4317'],
    ['collector:4318', false, 'http', 'http://collector:4318/v1/traces'],
    ['http://collector:80', false, 'http', 'http://collector/v1/traces'],
    ['https://traces.test/otlp/v1/traces', false, 'http', 'https://traces.test/otlp/v1/traces'],
    ['http://traces.test/in', true, 'http', 'https://traces.test/in'],
  ])('%s (TLS: %s) is %s at %s', (text, secure, protocol, url) => {
    expect(otlpEndpoint(text, secure)).toEqual({ protocol, url });
  });

  it.each([
    '',
    'grpc://collector:4317',
    'http://',
    'http://user:secret@collector:4317',
    'http://collector:4317?key=secret',
    'collector:99999',
    'collector:port',
    'two words',
    '[::1',
  ])('%j is none', (text) => {
    expect(otlpEndpoint(text, false)).toBeNull();
  });
});
