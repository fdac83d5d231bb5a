// Bar charts as SVG, readable on light and dark pages.

const ROW = 26;
const LABEL = 170;
const WIDTH = 760;
const TOP = 44;
const VALUE = 90;

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}.s{fill:#57606a;font-size:12px}
.b{fill:#8c959f}.o{fill:#1f6feb}.g{stroke:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.b{fill:#6e7681}.o{fill:#4493f8}.g{stroke:#3d444d}}
</style>`;

/** Three digits that count. */
export function shortNumber(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** A scale from values to 0..1: by logarithm when the largest is more than twenty times the least. */
export function barScale(values) {
  const most = Math.max(...values);
  const least = Math.min(...values.filter((value) => value > 0));
  if (!(most / least > 20)) return { log: false, at: (value) => value / most };
  const floor = least / 2;
  return { log: true, at: (value) => Math.log(Math.max(value, floor) / floor) / Math.log(most / floor) };
}

/** A bar for each of `rows` (`{ name, value, own }`), the least first; `unit` is written below the title. */
export function barChart(title, unit, rows) {
  const sorted = rows.filter(({ value }) => Number.isFinite(value)).sort((a, b) => a.value - b.value);
  const scale = barScale(sorted.map(({ value }) => value));
  const height = TOP + sorted.length * ROW + 8;
  const room = WIDTH - LABEL - VALUE;
  const bars = sorted.map(({ name, value, own }, i) => {
    const y = TOP + i * ROW;
    const width = Math.max(2, scale.at(value) * room).toFixed(1);
    const end = LABEL + Number(width) + 6;
    return (
      `<text x="${LABEL - 8}" y="${y + 16}" text-anchor="end">${escaped(name)}</text>` +
      `<rect class="${own ? 'o' : 'b'}" x="${LABEL}" y="${y + 3}" width="${width}" height="${ROW - 8}" rx="2"/>` +
      `<text x="${end}" y="${y + 16}">${shortNumber(value)}</text>`
    );
  });
  const note = `${unit}; less is better${scale.log ? '; logarithmic scale' : ''}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text class="t" x="8" y="18">${escaped(title)}</text><text class="s" x="8" y="35">${escaped(note)}</text>`,
    `<line class="g" x1="${LABEL - 1}" x2="${LABEL - 1}" y1="${TOP}" y2="${height - 8}"/>`,
    ...bars,
    '</svg>\n',
  ].join('\n');
}
