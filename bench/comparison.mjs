// Says in a few words how what arrived differs from what was sent.

const STAMP = /@\d{20}/g;

/** Text of a stream without the times in it. */
export const withoutTimes = (text) => text.replaceAll(STAMP, '@');

/** The data of each event of an event stream, as the standard reads it: comments left out, data lines joined. */
export function eventData(text) {
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n'),
    )
    .filter((data) => data !== '');
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal as JSON: the order of keys does not count, that of items does. */
export function sameJson(a, b) {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

const contentOf = (events) =>
  events
    .map((data) => (parsed(data)?.choices ?? []).map((choice) => choice.delta?.content ?? '').join(''))
    .join('');

/** How a JSON body that arrived differs from the one that was sent. */
export function compareJson(got, sent) {
  if (got === sent) return 'exact';
  const [a, b] = [parsed(got), parsed(sent)];
  if (a === undefined) return 'not JSON';
  if (sameJson(a, b)) return 'same JSON, other bytes';
  if (!isRecord(a) || !isRecord(b)) return 'another value';
  const lost = Object.keys(b).filter((key) => !Object.hasOwn(a, key));
  const added = Object.keys(a).filter((key) => !Object.hasOwn(b, key));
  const altered = Object.keys(b).filter((key) => Object.hasOwn(a, key) && !sameJson(a[key], b[key]));
  return [
    ...(lost.length > 0 ? [`lost ${lost.join(', ')}`] : []),
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(altered.length > 0 ? [`altered ${altered.join(', ')}`] : []),
  ].join('; ');
}

/** How an event stream that arrived differs from the one that was sent. */
export function compareStream(got, sent) {
  if (got === sent) return 'exact';
  const [a, b] = [eventData(got), eventData(sent)];
  if (sameJson(a, b)) return 'same events, other bytes';
  if (
    sameJson(
      a.map((data) => parsed(data) ?? data),
      b.map((data) => parsed(data) ?? data),
    )
  )
    return 'same JSON, other bytes';
  if (contentOf(a) === contentOf(b)) return `same text, ${a.length} events for ${b.length}`;
  return `another text, ${a.length} events for ${b.length}`;
}
