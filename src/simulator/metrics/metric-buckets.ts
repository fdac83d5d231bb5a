/** Bounds of the histograms of a vLLM engine, ascending; seconds unless the name says tokens or counts. */
export const FIRST_TOKEN_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];
export const NEXT_TOKEN_BUCKETS: readonly number[] = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
export const REQUEST_BUCKETS: readonly number[] = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];
export const SLEEP_BUCKETS: readonly number[] = [0.01, 0.1, 1, 10, 30, 60, 120, 300, 600];
export const ITERATION_TOKENS_BUCKETS: readonly number[] = [
  1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384,
];
export const CHOICES_BUCKETS: readonly number[] = [1, 2, 5, 10, 20];
export const PREEMPTIONS_BUCKETS: readonly number[] = [1, 2, 3, 4, 5, 10, 20];

/** 1, 2, 5, 10, 20, 50, … up to the longest request: buckets of token counts. */
export function tokenBuckets(maxModelLen: number): number[] {
  const bounds: number[] = [];
  for (let decade = 1; decade <= maxModelLen; decade *= 10) {
    for (const digit of [1, 2, 5]) if (digit * decade <= maxModelLen) bounds.push(digit * decade);
  }
  return bounds;
}
