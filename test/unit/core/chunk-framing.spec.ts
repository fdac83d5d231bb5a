import { framedChunk, LAST_CHUNK } from '../../../src/core/chunk-framing.js';

describe('chunk framing', () => {
  it('puts the size in hexadecimal before the bytes', () => {
    expect(framedChunk(Buffer.from('x'.repeat(26)), false).toString()).toBe(`1a\r\n${'x'.repeat(26)}\r\n`);
  });

  it('ends the body with the last chunk', () => {
    expect(framedChunk(Buffer.from('ab'), true).toString()).toBe('2\r\nab\r\n0\r\n\r\n');
    expect(LAST_CHUNK.toString()).toBe('0\r\n\r\n');
  });
});
