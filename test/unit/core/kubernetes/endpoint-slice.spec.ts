import fc from 'fast-check';
import { enginesOfServices, readService, readSlice } from '../../../../src/core/kubernetes/endpoint-slice.js';

const service = (name: string, extra: object = {}) => ({
  metadata: { uid: `uid-${name}`, name, labels: { app: 'vllm' }, ...extra },
});
const slice = (name: string, of: string, endpoints: unknown) => ({
  metadata: { uid: `slice-${name}`, name, labels: { 'kubernetes.io/service-name': of } },
  ports: null,
  ...(endpoints !== undefined && { endpoints }),
});
const at = (conditions: unknown) => ({ addresses: ['10.0.0.1'], conditions });

describe('readSlice', () => {
  it.each([
    ['ready', [at({ ready: true, serving: true, terminating: false })], true],
    ['ready by absence of the condition', [{ addresses: ['10.0.0.1'] }], true],
    ['not ready', [at({ ready: false, serving: false, terminating: false })], false],
    ['terminating but serving', [at({ ready: false, serving: true, terminating: true })], false],
    ['without addresses', [{ addresses: [], conditions: { ready: true } }], false],
    ['new, without endpoints', undefined, false],
    ['with one of two ready', [at({ ready: false }), at({ ready: true })], true],
  ])('sees a slice that is %s', (_title, endpoints, ready) => {
    expect(readSlice(slice('s', 'svc', endpoints))).toEqual({ uid: 'slice-s', service: 'svc', ready });
  });

  it('ignores a slice of no Service', () => {
    expect(readSlice({ metadata: { uid: 'u', name: 'n' }, endpoints: [at({})] })).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (object, endpoints) => {
        readSlice(object);
        readService(object);
        readSlice(slice('s', 'svc', endpoints));
      }),
    );
  });
});

describe('enginesOfServices', () => {
  const services = [service('a'), service('b'), service('c', { deletionTimestamp: 'x' })].flatMap(
    (object) => readService(object) ?? [],
  );
  const slices = [
    slice('a1', 'a', [at({ ready: false })]),
    slice('a2', 'a', [at({ ready: true })]),
    slice('b1', 'b', []),
    slice('c1', 'c', [at({ ready: true })]),
    slice('d1', 'unselected', [at({ ready: true })]),
  ].flatMap((object) => readSlice(object) ?? []);

  it('is one engine for each Service with a ready address in any slice', () => {
    expect(enginesOfServices(services, slices, '', 8000)).toEqual([
      { id: 'http://a:8000#uid-a', url: 'http://a:8000', labels: { app: 'vllm' } },
    ]);
  });

  it('names the namespace where it is another', () => {
    expect(enginesOfServices(services, slices, '.prod', 80).map((engine) => engine.url)).toEqual([
      'http://a.prod:80',
    ]);
  });
});
