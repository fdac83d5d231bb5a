import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import { RouterError } from '../../../src/core/errors.js';
import { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import { BodyIntake, type Intake } from '../../../src/proxy/body-intake.js';
import { BodyMemory } from '../../../src/proxy/body-memory.js';
import { SharedMemory } from '../../../src/proxy/shared-memory.js';

const KIB = 1024;

class FakeRequest extends EventEmitter {
  readonly rawHeaders: readonly string[] = [];
  readonly pause = jest.fn();
  readonly resume = jest.fn();
}

describe('a body that is coming', () => {
  let now: number;
  let memory: BodyMemory;
  let intake: BodyIntake;
  let request: FakeRequest;
  let result: Intake | null;
  const left = jest.fn();

  beforeEach(() => {
    const current = {
      maxBodySize: 1_000 * KIB,
      maxBodyMemory: 1_500 * KIB,
      clientBodyTimeout: 120,
    } as Settings;
    memory = new BodyMemory({ current } as SettingsStore);
    left.mockReset();
    const settings = { current } as SettingsStore;
    intake = new BodyIntake(settings, memory, new SharedMemory(settings), {
      clientLeft: left,
    } as unknown as RouterMetrics);
    now = performance.now();
    request = new FakeRequest();
    result = null;
    intake.receive(request as unknown as IncomingMessage, (given) => (result = given));
  });

  /** Lets seconds pass with so many bytes in each. */
  const pass = (seconds: number, bytes: number): void => {
    for (let i = 0; i < seconds && result === null; i++) {
      if (bytes > 0) request.emit('data', Buffer.alloc(bytes));
      intake.sweep((now += 1_000));
    }
  };
  const failure = (): unknown => (result instanceof RouterError ? [result.status, result.code] : null);

  it('has its time, whatever its pace', () => {
    pass(118, 10);
    expect(result).toBeNull();
    pass(10, 10);
    expect(failure()).toEqual([408, 'request_timeout']);
    expect(memory.held).toBe(0);
  });

  it('has more time while it keeps coming at 8 KiB a second', () => {
    // Slow at first, then just fast enough.
    pass(115, 10);
    pass(60, 8 * KIB + 1);
    expect(result).toBeNull();
    pass(10, 8 * KIB - 200);
    expect(failure()).toEqual([408, 'request_timeout']);
  });

  it('may stall for a moment', () => {
    pass(115, 10);
    for (let i = 0; i < 10; i++) {
      pass(3, 0);
      pass(1, 50 * KIB);
      pass(1, 0);
    }
    expect(result).toBeNull();
    pass(11, 0);
    expect(failure()).toEqual([408, 'request_timeout']);
  });

  it('is not watched any more once it is there, too large, or its client has left', () => {
    request.emit('data', Buffer.from('ab'));
    request.emit('end');
    expect(result).toHaveProperty('length', 2);
    expect(memory.held).toBe(2);
    pass(300, 0);
    expect(result).not.toBeInstanceOf(RouterError);

    const large = new FakeRequest();
    const results: Intake[] = [];
    intake.receive(large as unknown as IncomingMessage, (given) => results.push(given));
    large.emit('data', Buffer.alloc(600 * KIB));
    large.emit('data', Buffer.alloc(600 * KIB));
    large.emit('data', Buffer.alloc(600 * KIB));
    large.emit('close');
    expect(results.map((given) => given instanceof RouterError && given.code)).toEqual(['request_too_large']);
    expect(left).not.toHaveBeenCalled();

    const leaver = new FakeRequest();
    intake.receive(leaver as unknown as IncomingMessage, (given) => results.push(given));
    leaver.emit('data', Buffer.alloc(600 * KIB));
    leaver.emit('close');
    expect([results.length, memory.held]).toEqual([1, 2]);
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('is refused when all bodies together are too large', () => {
    const second = new FakeRequest();
    const results: Intake[] = [];
    intake.receive(second as unknown as IncomingMessage, (given) => results.push(given));
    for (let i = 0; i < 9; i++) request.emit('data', Buffer.alloc(100 * KIB));
    for (let i = 0; i < 9; i++) second.emit('data', Buffer.alloc(100 * KIB));
    expect(results.map((given) => given instanceof RouterError && given.code)).toEqual(['overloaded']);
    expect(memory.held).toBe(900 * KIB);
  });
});
