import type { IncomingMessage } from 'node:http';
import { IntakePace } from '../../../src/proxy/intake-pace.js';

/** As much of a request as the pace touches. */
class FakeRequest {
  paused = false;
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

const asked = (request: FakeRequest): IncomingMessage => request as unknown as IncomingMessage;
const KIB = 1024;

describe('IntakePace', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('lets a tick of bytes through, then holds every body until the next tick', () => {
    const pace = new IntakePace();
    const [one, two] = [new FakeRequest(), new FakeRequest()];
    pace.took(asked(one), 200 * KIB);
    expect(one.paused).toBe(false);
    pace.took(asked(two), 56 * KIB);
    pace.took(asked(one), 64 * KIB);
    expect([one.paused, two.paused]).toEqual([true, true]);
    jest.advanceTimersByTime(2);
    expect([one.paused, two.paused]).toEqual([false, false]);
  });

  it('lets the bodies go on in turn when they are many', () => {
    const pace = new IntakePace();
    const requests = Array.from({ length: 10 }, () => new FakeRequest());
    pace.took(asked(new FakeRequest()), 256 * KIB);
    for (const request of requests) pace.took(asked(request), 64 * KIB);
    jest.advanceTimersByTime(2);
    expect(requests.filter(({ paused }) => !paused)).toHaveLength(3);
    jest.advanceTimersByTime(2);
    expect(requests.filter(({ paused }) => !paused)).toHaveLength(7);
    jest.advanceTimersByTime(2);
    expect(requests.every(({ paused }) => !paused)).toBe(true);
  });

  it('forgets a body that has gone and stops its clock', () => {
    const pace = new IntakePace();
    const gone = new FakeRequest();
    pace.took(asked(gone), 256 * KIB);
    pace.forget(asked(gone));
    expect(gone.paused).toBe(false);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(2);
    expect(jest.getTimerCount()).toBe(0);
  });
});
