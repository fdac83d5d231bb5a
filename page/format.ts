/** What stands for a figure without a sample. */
export const NOTHING = '–';

const number = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const DIGITS = [0, 1, 2].map(number);
const withDigits = (value: number, digits: number): string => DIGITS[digits]!.format(value);

/** A count, 12,345. */
export const count = (value: number | null): string =>
  value === null ? NOTHING : withDigits(Math.round(value), 0);

/** A number of any size in about three digits, 12.3k. */
export function amount(value: number | null): string {
  if (value === null) return NOTHING;
  const size = Math.abs(value);
  if (size >= 999_500) return `${withDigits(value / 1e6, size >= 1e7 ? 0 : 1)}M`;
  if (size >= 9_995) return `${withDigits(value / 1e3, size >= 99_950 ? 0 : 1)}k`;
  if (size >= 100 || Number.isInteger(value)) return withDigits(value, 0);
  return withDigits(value, size >= 10 ? 1 : 2);
}

/** Seconds, as milliseconds where they are few. */
export function duration(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds >= 99.95) return `${withDigits(seconds, 0)} s`;
  if (seconds >= 0.9995) return `${withDigits(seconds, seconds >= 9.995 ? 1 : 2)} s`;
  const ms = seconds * 1_000;
  return `${withDigits(ms, ms >= 99.95 ? 0 : 1)} ms`;
}

/** A share, 0 to 1, in percent. */
export function percent(share: number | null): string {
  if (share === null) return NOTHING;
  return `${withDigits(share * 100, share > 0 && share < 0.0995 ? 1 : 0)}%`;
}

export const times = (factor: number | null): string =>
  factor === null ? NOTHING : `${withDigits(factor, 2)}×`;

const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
/** The time of day, by the clock of the browser. @param at seconds since the epoch */
export const timeOfDay = (at: number): string => TIME.format(at * 1_000);

/** How long ago something was. @param seconds since then */
export function ago(seconds: number): string {
  if (seconds < 10) return 'just now';
  if (seconds < 90) return `${withDigits(seconds, 0)} s ago`;
  if (seconds < 5_400) return `${withDigits(seconds / 60, 0)} min ago`;
  return `${withDigits(seconds / 3_600, 0)} h ago`;
}

/** A base URL without what all of them have. */
export const place = (url: string): string => url.replace(/^http:\/\//, '');

/** The last characters, at most so many. */
export const ending = (text: string, most: number): string =>
  text.length <= most ? text : `…${text.slice(1 - most)}`;

/** At most so many characters, the middle left out: names of one kind differ at their ends. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.ceil((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}
