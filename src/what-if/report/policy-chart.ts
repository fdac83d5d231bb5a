import type { PolicyRow } from './policy-row.js';
import { sortedRows } from './policy-table.js';

const ROW = 24;
const LABEL = 160;
const PANEL = 230;
const GAP = 70;
const TOP = 66;
const WIDTH = LABEL + 2 * (PANEL + GAP) + 10;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

// Readable on light and dark pages.
const STYLE = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}.s{fill:#57606a;font-size:12px}
.b{fill:#8c959f}.o{fill:#1f6feb}.g{stroke:#d0d7de}.e{stroke:#24292f;stroke-width:1.5}.l{opacity:.45}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.b{fill:#6e7681}.o{fill:#4493f8}.g{stroke:#3d444d}.e{stroke:#e6edf3}}
</style>`;

/** Where a value lies on a logarithmic axis from `least` to `most`, 0 to 1. */
function logShare(value: number, least: number, most: number): number {
  return Math.min(1, Math.max(0, Math.log(value / least) / Math.log(most / least)));
}

/**
 * An SVG chart of one traffic: for each policy its goodput with the 95 % interval, and its TTFT from the mean to the
 * 99th percentile on a logarithmic axis. `own` is drawn in colour.
 */
export function policyChart(title: string, rows: readonly PolicyRow[], own: string): string {
  const sorted = sortedRows(rows);
  const height = TOP + sorted.length * ROW + 12;
  const second = LABEL + PANEL + GAP;
  const times = sorted.flatMap(({ ttft }) => [ttft.mean, ttft.p99]).filter((time) => time > 0);
  const least = Math.min(...times, 0.05) * 0.8;
  const most = Math.max(...times, 1) * 1.1;
  const place = (time: number): number => second + logShare(Math.max(time, least), least, most) * PANEL;
  const number = (value: number): string => value.toFixed(1);
  const lines = sorted.map(({ policy, goodput, ttft }, index) => {
    const y = TOP + index * ROW;
    const kind = policy === own ? 'o' : 'b';
    const middle = y + ROW / 2 - 1;
    const at = (share: number): string => number(LABEL + Math.min(1, Math.max(0, share)) * PANEL);
    const interval = !Number.isFinite(goodput.high)
      ? ''
      : `<line class="e" x1="${at(goodput.low)}" x2="${at(goodput.high)}" y1="${middle}" y2="${middle}"/>`;
    const [mean, p99] = [place(ttft.mean), place(ttft.p99)];
    return (
      `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escaped(policy)}</text>` +
      `<rect class="${kind}" x="${LABEL}" y="${y + 3}" width="${number(Math.max(1, goodput.mean * PANEL))}" height="${ROW - 8}" rx="2"/>` +
      interval +
      `<text x="${LABEL + PANEL + 6}" y="${y + 15}">${goodput.mean.toFixed(2)}</text>` +
      `<rect class="${kind} l" x="${number(mean)}" y="${middle - 2}" width="${number(Math.max(1, p99 - mean))}" height="4"/>` +
      `<circle class="${kind}" cx="${number(mean)}" cy="${middle}" r="5"/>` +
      `<text x="${second + PANEL + 6}" y="${y + 15}">${ttft.mean.toPrecision(2)} s</text>`
    );
  });
  const bottom = height - 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text class="t" x="8" y="18">${escaped(title)}</text>`,
    `<text class="s" x="${LABEL}" y="${TOP - 24}">share of requests served in time (goodput),</text>`,
    `<text class="s" x="${LABEL}" y="${TOP - 9}">with its 95 % interval; more is better</text>`,
    `<text class="s" x="${second}" y="${TOP - 24}">time to first token, mean to p99,</text>`,
    `<text class="s" x="${second}" y="${TOP - 9}">logarithmic; less is better</text>`,
    `<line class="g" x1="${LABEL - 1}" x2="${LABEL - 1}" y1="${TOP}" y2="${bottom}"/>`,
    `<line class="g" x1="${LABEL + PANEL}" x2="${LABEL + PANEL}" y1="${TOP}" y2="${bottom}"/>`,
    `<line class="g" x1="${second - 1}" x2="${second - 1}" y1="${TOP}" y2="${bottom}"/>`,
    ...lines,
    '</svg>\n',
  ].join('\n');
}
