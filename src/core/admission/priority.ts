/** Priorities beyond it mean no more. */
const MOST = 1_000_000;

/**
 * The priority of a request, as vLLM reads it: an integer, the lower the more urgent, 0 without one; the header
 * `x-vllm-priority` counts before the body's `priority`. What is no number counts as none, what is out of range as the
 * nearest within.
 *
 * @returns from -1,000,000 to 1,000,000
 */
export function priorityOf(header: string | undefined, body: number | null): number {
  const told = header !== undefined && /^\s*[-+]?\d{1,15}\s*$/.test(header) ? Number(header) : body;
  if (told === null || !Number.isFinite(told)) return 0;
  return Math.trunc(Math.min(Math.max(told, -MOST), MOST)) + 0;
}
