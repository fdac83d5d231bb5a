import fc from 'fast-check';
import { enginesOfPods, type PodView, readPod, urlHost } from '../../../../src/core/kubernetes/pod.js';
import { fakePod, type FakePodOverrides } from '../../../support/fake-kube-api.js';

describe('readPod', () => {
  it('makes an engine of a running, ready pod, with its uid in the id and its labels', () => {
    expect(readPod(fakePod('a', { ip: '10.1.2.3', labels: { app: 'vllm', model: 'm' } }), 8000)).toEqual({
      uid: 'uid-a',
      name: 'a',
      created: '',
      reason: null,
      engine: {
        id: 'http://10.1.2.3:8000#uid-a',
        url: 'http://10.1.2.3:8000',
        labels: { app: 'vllm', model: 'm' },
      },
    });
  });

  it.each<[string, FakePodOverrides, string]>([
    ['terminating, though still Running and Ready', { terminating: true }, 'terminating'],
    ['failed, though it keeps its address', { phase: 'Failed' }, 'phase Failed'],
    ['pending', { phase: 'Pending', ip: null }, 'phase Pending'],
    ['without an address', { ip: null }, 'no address'],
    ['with nonsense for an address', { ip: '10.0.0.1/x' }, 'no address'],
    ['not ready', { ready: false }, 'not ready'],
  ])('gives no engine for a pod %s', (_title, overrides, reason) => {
    expect(readPod(fakePod('a', overrides), 8000)).toMatchObject({ engine: null, reason });
  });

  it('gives no engine while the Ready condition is missing', () => {
    const pod = fakePod('a');
    pod.status = { phase: 'Running', podIP: '10.0.0.1' };
    expect(readPod(pod, 8000)).toMatchObject({ engine: null, reason: 'not ready' });
  });

  it('puts an IPv6 address in brackets', () => {
    expect(readPod(fakePod('a', { ip: 'FD00::7' }), 8000)?.engine?.url).toBe('http://[fd00::7]:8000');
  });

  it('keeps a bounded number of labels, strings only', () => {
    const labels: Record<string, unknown> = { bad: 5, long: 'x'.repeat(300) };
    for (let i = 0; i < 200; i += 1) labels[`l${i}`] = 'v';
    const pod = fakePod('a', { labels });
    const kept = readPod(pod, 8000)?.engine?.labels ?? {};
    expect(Object.keys(kept)).toHaveLength(64);
    expect(kept).not.toHaveProperty('bad');
    expect(kept).not.toHaveProperty('long');
  });

  it('never throws and never makes an engine without a valid URL, whatever the object', () => {
    const hostile = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(
          'Running',
          'Ready',
          'True',
          '10.0.0.1',
          '::1',
          '999.1.1.1',
          '__proto__',
          null,
          7,
          true,
        ),
        fc.string(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'metadata',
            'status',
            'uid',
            'name',
            'labels',
            'phase',
            'podIP',
            'conditions',
            'type',
            '__proto__',
          ),
          tie('value'),
        ),
      ),
    })).value;
    fc.assert(
      fc.property(hostile, (object) => {
        const view = readPod(object, 8000);
        if (view?.engine) expect(URL.canParse(view.engine.url)).toBe(true);
        if (view) expect(view.engine === null).toBe(view.reason !== null);
      }),
      { numRuns: 2000 },
    );
  });

  it('survives any value in any field of a good pod', () => {
    const fields = ['phase', 'podIP', 'conditions'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.anything(), (name, value) => {
        const pod = fakePod('a');
        pod.status = { ...pod.status, [name]: value };
        const view = readPod(pod, 8000);
        expect(view?.uid).toBe('uid-a');
        if (view?.engine) expect(URL.canParse(view.engine.url)).toBe(true);
      }),
    );
  });
});

describe('urlHost', () => {
  it.each(['', 'host', '256.1.1.1', '1.2.3', '1.2.3.4.5', ':', 'fe80::1%eth0', '::1]@evil', ':::'])(
    'refuses %p',
    (address) => {
      expect(urlHost(address)).toBeNull();
    },
  );

  it('takes every IP address', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => urlHost(address) === address));
    fc.assert(fc.property(fc.ipV6(), (address) => urlHost(address) === `[${address.toLowerCase()}]`));
  });
});

describe('enginesOfPods', () => {
  const pod = (name: string, created: string, ip = '10.0.0.1'): PodView => {
    const view = readPod(fakePod(name, { ip }), 8000);
    if (!view) throw new Error('no pod');
    return { ...view, created };
  };

  it('keeps the youngest of several pods at one address', () => {
    const old = pod('old', '2026-01-01T00:00:00Z');
    const young = pod('young', '2026-01-02T00:00:00Z');
    expect(enginesOfPods([young, old])).toEqual([young.engine]);
    expect(enginesOfPods([old, young])).toEqual([young.engine]);
  });

  it('leaves out pods that are no engines', () => {
    const other = pod('other', '', '10.0.0.2');
    expect(enginesOfPods([{ ...pod('a', ''), engine: null, reason: 'not ready' }, other])).toEqual([
      other.engine,
    ]);
  });
});
