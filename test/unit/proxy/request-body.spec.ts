import * as fc from 'fast-check';
import type { SettingsStore } from '../../../src/config/settings-store.js';
import { BodyMemory } from '../../../src/proxy/body-memory.js';
import { SharedMemory } from '../../../src/proxy/shared-memory.js';
import { RequestBody, SMALL_BODY } from '../../../src/proxy/request-body.js';

const memoryOf = (maxBodyMemory: number): BodyMemory =>
  new BodyMemory({ current: { maxBodyMemory } } as SettingsStore);

describe('a request body', () => {
  it('holds the bytes as they came, however they were cut', () => {
    const sizes = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 10_000, max: 90_000 })),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(sizes, (lengths) => {
        const chunks = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        const body = new RequestBody(null, null);
        for (const chunk of chunks) expect(body.add(chunk)).toBe(true);
        const whole = Buffer.concat(chunks);
        expect(body.length).toBe(whole.length);
        expect(Buffer.concat([...body.pieces]).equals(whole)).toBe(true);
        expect(body.joined().equals(whole)).toBe(true);
        expect(body.pieces.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it('that is large lies in shared memory, for the thread that reads it', () => {
    const shared = new SharedMemory({ current: { maxBodyMemory: 1e9 } } as SettingsStore);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { maxLength: 12 }), (lengths) => {
        const body = new RequestBody(null, shared);
        const chunks = lengths.map((length, i) => Buffer.alloc(length, i + 1));
        for (const chunk of chunks) body.add(chunk);
        expect(Buffer.concat([...body.pieces]).equals(Buffer.concat(chunks))).toBe(true);
        expect(body.large).toBe(body.length > SMALL_BODY);
        if (body.large)
          for (const { buffer } of body.pieces) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
      }),
      { numRuns: 30 },
    );
  });

  it('that comes in tiny pieces is few objects', () => {
    const body = new RequestBody(null, null);
    for (let i = 0; i < 200_000; i++) body.add(Buffer.from('x'));
    expect(body.pieces.length).toBeLessThan(6);
  });

  it('has room only beside what the other processes on the port hold', () => {
    const memory = memoryOf(10);
    memory.heldByOthers = 7;
    expect([memory.take(4), memory.take(3), memory.held]).toEqual([false, true, 3]);
  });

  it('counts its bytes until it is released, once', () => {
    const memory = memoryOf(10);
    const body = new RequestBody(memory, null);
    expect([body.add(Buffer.alloc(6)), body.add(Buffer.alloc(5)), body.add(Buffer.alloc(4))]).toEqual([
      true,
      false,
      true,
    ]);
    expect([memory.held, body.length]).toEqual([10, 10]);
    body.release();
    body.release();
    expect(memory.held).toBe(0);
    expect(body.pieces).toEqual([]);
  });
});
