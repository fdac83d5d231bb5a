/** Problems kept of one refusal; the rest is counted. */
const MOST_PROBLEMS = 20;

/** Settings that cannot work. Each problem is one line for the operator: name, value, what is allowed. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(found: readonly string[]) {
    const more = found.length - MOST_PROBLEMS;
    const problems = more > 0 ? [...found.slice(0, MOST_PROBLEMS), `and ${more} more problems`] : found;
    super(problems.join('; '));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** What an error says, as one line of bounded length. Reads by shape: errors may come from another realm. */
export function reasonOf(error: unknown): string {
  const message: unknown =
    typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  if (typeof message !== 'string') return 'no reason was given';
  return (message.split('\n')[0] ?? '').replace(/[\p{C}\u2028\u2029]/gu, '?').slice(0, 300);
}
