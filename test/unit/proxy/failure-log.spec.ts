import { Logger } from '@nestjs/common';
import { FailureLog } from '../../../src/proxy/failure-log.js';

describe('the log of failed requests', () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)));
  });
  afterEach(() => jest.restoreAllMocks());

  it('has a line for each while they are few', () => {
    const log = new FailureLog();
    for (let i = 0; i < 30; i++) log.write(`request ${i}`, i * 200);
    expect(lines).toHaveLength(30);
  });

  it('counts what is too much for one second, and says so with the next line', () => {
    const log = new FailureLog();
    for (let i = 0; i < 500; i++) log.write(`request ${i}`, 5_000 + i);
    expect(lines).toHaveLength(10);
    log.write('request 500', 6_000);
    expect(lines.at(-1)).toBe('request 500 (490 more before this were not logged)');
  });
});
