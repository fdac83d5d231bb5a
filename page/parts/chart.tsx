import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly name: string;
  /** CSS custom property with its colour. */
  readonly colour: string;
  readonly dashed?: boolean;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly at: readonly (number | null)[];
  readonly lines: readonly Line[];
  readonly format: (value: number | null) => string;
  /** The least upper end of the scale. */
  readonly least?: number;
  /** The upper end of the scale; left out: what the values need. */
  readonly most?: number;
}

const HEIGHT = 150;
const MINUTES = 15 * 60;
const dark = window.matchMedia('(prefers-color-scheme: dark)');

const colourOf = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The window of fifteen minutes that ends with the newest sample. */
const timeScale = (_plot: uPlot, _least: number, newest: number): [number, number] => {
  const end = Number.isFinite(newest) ? newest : Date.now() / 1_000;
  return [end - MINUTES, end];
};

function optionsOf(
  { lines, format, least = 0.001, most }: ChartProps,
  width: number,
  onPoint: (at: number | null) => void,
): uPlot.Options {
  const [text, grid] = [colourOf('--muted'), colourOf('--line')];
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: text, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
  return {
    width,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: timeScale },
      y: { range: (_plot, _low, high) => [0, most ?? Math.max(high * 1.15 || 0, least)] },
    },
    axes: [
      { ...axis, space: 70, size: 26, grid: { show: false }, values: '{HH}:{mm}' },
      { ...axis, size: 54, space: 36, values: (_plot, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [
      {},
      ...lines.map(({ name, colour, dashed }, at) => ({
        label: name,
        stroke: colourOf(colour),
        width: 1.75,
        spanGaps: false,
        points: { show: false },
        ...(dashed === true ? { dash: [5, 4] } : {}),
        ...(at === 0 ? { fill: `${colourOf(colour)}1f` } : {}),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

const dataOf = ({ at, lines }: ChartProps): uPlot.AlignedData => [
  at.map((time) => time ?? 0),
  ...lines.map(({ values }) => values as (number | null)[]),
];

/** Lines over the last fifteen minutes, with their newest values, or those under the pointer. */
export function Chart(props: ChartProps) {
  const { title, at, lines, format } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [point, setPoint] = useState<number | null>(null);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      const options = optionsOf(latest.current, element.clientWidth, setPoint);
      plot.current = new uPlot(options, dataOf(latest.current), element);
    };
    draw();
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    // Colours are of the scheme.
    dark.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(props)), [at]);

  const shown = point !== null && point < at.length ? point : at.length - 1;
  const told = lines.map(({ name, values }) => `${name} ${format(values[shown] ?? null)}`).join(', ');
  const highest = lines.map(({ name, values }) => {
    const numbers = values.filter((value) => value !== null);
    return numbers.length === 0 ? `${name} has no value` : `${name} at most ${format(Math.max(...numbers))}`;
  });
  return (
    <figure class="chart">
      <figcaption>
        <span class="title">{title}</span>
        <span class="legend">
          {lines.map(({ name, values }, line) => (
            <span key={name} class="key">
              <svg width="14" height="8" aria-hidden="true">
                <line
                  x1="0"
                  x2="14"
                  y1="4"
                  y2="4"
                  class={`stroke-${lines[line]!.colour.slice(2)} ${lines[line]!.dashed === true ? 'dashed' : ''}`}
                />
              </svg>
              {lines.length > 1 && <span class="note">{name}</span>}
              <span class="number">{format(values[shown] ?? null)}</span>
            </span>
          ))}
        </span>
      </figcaption>
      <div
        ref={box}
        class="plot"
        role="img"
        aria-label={`${title}, last 15 minutes. Now: ${told}. Over this time: ${highest.join(', ')}.`}
      />
    </figure>
  );
}
