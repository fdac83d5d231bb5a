// Figures from samples. Nothing here measures.

/** The value below which the share `p` (0 to 1) of the samples lies; NaN without samples. */
export function quantile(samples, p) {
  const sorted = Float64Array.from(samples).sort();
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
}

/** The middle value, or the mean of the two in the middle; NaN without samples. */
export function median(samples) {
  const sorted = Float64Array.from(samples).sort();
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

/** The half of the windows (at least three) for which `disturbance` is least. */
export function quieterHalf(windows, disturbance) {
  const sorted = [...windows].sort((a, b) => disturbance(a) - disturbance(b));
  return sorted.slice(0, Math.max(3, Math.ceil(sorted.length / 2)));
}

/** Processor time per request and per second of one closed-loop stage; microseconds. */
export function loopFigures(windows, unit = 'done') {
  const good = windows.filter((window) => window[unit] > 0);
  const cost = good.map((window) => window.cpu_us / window[unit]);
  return {
    cost: quantile(cost, 0.1),
    costMedian: median(cost),
    perSecond: median(good.map((window) => (window[unit] / window.ms) * 1000)),
    busy: median(good.map((window) => window.cpu_us / 1000 / window.ms)),
  };
}

/**
 * Processor time per chunk and the chunks' lag; microseconds. A peer that is starved by other work gets its chunks in
 * heaps and looks cheap, so the half of the windows with the least lag counts.
 */
export function pacedFigures(windows) {
  const good = quieterHalf(
    windows.filter(({ chunks }) => chunks > 0),
    (window) => window.lag900,
  );
  const cost = good.map((window) => window.cpu_us / window.chunks);
  return {
    cost: median(cost),
    lag50: median(good.map(({ lag500 }) => lag500)),
    lag99: median(good.map(({ lag990 }) => lag990)),
    busy: median(good.map((window) => window.cpu_us / 1000 / window.ms)),
  };
}

/** Latency to the first content and to the end; microseconds, from the quieter half of the windows. */
export function latencyFigures(windows, key) {
  const good = quieterHalf(windows, (window) => quantile(window[key], 0.9));
  const samples = good.flatMap((window) => window[key]);
  return { n: samples.length, p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) };
}
