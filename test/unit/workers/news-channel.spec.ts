import { NewsChannel } from '../../../src/workers/news-channel.js';

describe('the channel of news', () => {
  let waiting: string[];
  let sent: { news: string[]; done: () => void }[];
  let channel: NewsChannel<string[]>;

  beforeEach(() => {
    jest.useFakeTimers();
    waiting = [];
    sent = [];
    const gather = (): string[] | null => (waiting.length === 0 ? null : waiting.splice(0));
    channel = new NewsChannel(20, gather, (news, done) => sent.push({ news, done }));
  });
  afterEach(() => jest.useRealTimers());

  const say = (what: string): void => {
    waiting.push(what);
    channel.touch();
  };
  const told = (): string[][] => sent.map(({ news }) => news);

  it('sends what comes within one batch as one message', () => {
    say('a');
    jest.advanceTimersByTime(19);
    say('b');
    expect(told()).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(told()).toEqual([['a', 'b']]);
  });

  it('sends nothing when nothing is new', () => {
    channel.touch();
    jest.advanceTimersByTime(100);
    expect([told(), jest.getTimerCount()]).toEqual([[], 0]);
  });

  it('waits until the message before has left, and then sends the rest', () => {
    say('a');
    jest.advanceTimersByTime(20);
    say('b');
    channel.flush();
    jest.advanceTimersByTime(1_000);
    expect(told()).toEqual([['a']]);
    sent[0]?.done();
    jest.advanceTimersByTime(20);
    expect(told()).toEqual([['a'], ['b']]);
  });

  it('sends at once when it is told to, and nothing after its end', () => {
    say('a');
    channel.flush();
    expect(told()).toEqual([['a']]);
    sent[0]?.done();
    say('b');
    channel.close();
    channel.flush();
    jest.advanceTimersByTime(100);
    expect(told()).toEqual([['a']]);
  });
});
