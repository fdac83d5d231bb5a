import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Flow } from '../../src/core/live/live-view.js';
import { type FlowBand, flowLayout, type FlowNode } from '../flow-layout.js';
import { amount, ending, place, shortened } from '../format.js';
import type { ShownEngine } from '../state.js';
import { Section } from './section.js';

/** Boxes of a column; the others are one box together. */
const MOST_MODELS = 7;
const MOST_ENGINES = 12;
const OTHERS = 'others';
/** Hues for models; further ones begin again. */
const HUES = 7;
const NARROW = 560;
const MARGIN = 4;
const BOX = 9;

/** The width that the picture has. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 800)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { box, width };
}

function pictureOf(flows: readonly Flow[], engines: readonly ShownEngine[]) {
  const byRate = (of: 'model' | 'engine'): string[] => {
    const rates = new Map<string, number>();
    for (const flow of flows) rates.set(flow[of], (rates.get(flow[of]) ?? 0) + flow.rate);
    return [...rates.keys()].sort((a, b) => rates.get(b)! - rates.get(a)!);
  };
  const served = engines.flatMap(({ card }) => [...card.models, ...card.adapters]);
  const chosen = (busy: string[], all: string[], most: number): string[] => {
    const keys = [...new Set([...busy, ...all])];
    if (keys.length <= most) return [...new Set([...all, ...busy])];
    const kept = new Set(keys.slice(0, most - 1));
    return [...all.filter((key, at) => kept.has(key) && all.indexOf(key) === at), OTHERS];
  };
  const models = chosen(byRate('model'), served.sort(), MOST_MODELS);
  // Engines of one model side by side: fewer bands cross.
  const placeOf = ({ card }: ShownEngine): number => models.indexOf(card.models[0] ?? card.adapters[0] ?? '');
  const known = [...engines].sort((a, b) => placeOf(a) - placeOf(b)).map(({ card }) => card.id);
  const shown = chosen(byRate('engine'), known, MOST_ENGINES);
  const named = (key: string, keys: readonly string[]): string => (keys.includes(key) ? key : OTHERS);
  const input = flows.map(({ model, engine, rate }) => ({
    ...{ model: named(model, models), engine: named(engine, shown), rate },
  }));
  return flowLayout(input, models, shown);
}

/** Requests on their way from clients to models to engines. */
export function FlowPicture({
  flows,
  engines,
}: {
  readonly flows: readonly Flow[];
  readonly engines: readonly ShownEngine[];
}) {
  const { box, width } = useWidth();
  const picture = useMemo(() => pictureOf(flows, engines), [flows, engines]);
  const byId = new Map(engines.map((engine) => [engine.card.id, engine]));
  const narrow = width < NARROW;
  const letters = narrow ? 13 : 30;
  const x = {
    client: MARGIN,
    model: Math.round(width * (narrow ? 0.3 : 0.4)),
    engine: width - MARGIN - BOX,
  };
  const hueOf = (model: string): string =>
    `hue-${picture.models.findIndex(({ key }) => key === model) % HUES}`;
  const top = 22;

  const band = ({ key, from, to, width: thick, rate, model, engine }: FlowBand, x0: number, x1: number) => {
    const middle = (x0 + x1) / 2;
    const d = `M${x0} ${from + top}C${middle} ${from + top} ${middle} ${to + top} ${x1} ${to + top}`;
    return (
      <g key={key} class={`band ${hueOf(model)}`}>
        <title>{`${model}${engine === null ? '' : ` → ${place(byId.get(engine)?.card.url ?? engine)}`}: ${amount(rate)}/s`}</title>
        <path d={d} stroke-width={thick} />
        <path class="moving" d={d} stroke-width={Math.min(3, thick)} />
      </g>
    );
  };
  const engineLabel = ({ key }: FlowNode): string => {
    const engine = byId.get(key);
    if (engine === undefined) return 'others';
    // The ends of addresses tell them apart.
    return ending(place(engine.card.url), narrow ? 10 : 40);
  };

  return (
    <Section id="flow" title="Requests" note="answers ended a second, over the last seconds">
      <div ref={box} class="flow">
        {engines.length === 0 ? (
          <p class="empty">There is no engine that requests could flow to.</p>
        ) : (
          <svg
            class={narrow ? 'narrow' : ''}
            width={width}
            height={picture.height + top + 8}
            viewBox={`0 0 ${width} ${picture.height + top + 8}`}
            role="img"
            aria-label={
              picture.total === 0
                ? 'No requests flow.'
                : `${amount(picture.total)} requests a second flow from clients through ${picture.models.length} models to ${picture.engines.length} engines; the table below has the figures.`
            }
          >
            <text class="column" x={x.client} y={12}>
              Clients
            </text>
            <text class="column" x={x.model} y={12}>
              Models
            </text>
            <text class="column" x={width - MARGIN} y={12} text-anchor="end">
              Engines
            </text>
            <g class="bands">
              {picture.asked.map((one) => band(one, x.client + BOX, x.model))}
              {picture.sent.map((one) => band(one, x.model + BOX, x.engine))}
            </g>
            <g class="node client">
              <rect
                x={x.client}
                y={picture.client.y + top}
                width={BOX}
                height={picture.client.height}
                rx="3"
              />
              <Label x={x.client + BOX + 8} node={picture.client} top={top} name="all" />
            </g>
            {picture.models.map((node) => (
              <g key={node.key} class={`node ${node.rate > 0 ? hueOf(node.key) : 'idle'}`}>
                <rect x={x.model} y={node.y + top} width={BOX} height={node.height} rx="3" />
                <Label x={x.model + BOX + 8} node={node} top={top} name={shortened(node.key, letters)} />
              </g>
            ))}
            {picture.engines.map((node) => {
              const state = byId.get(node.key)?.row.state ?? 'ready';
              return (
                <g key={node.key} class={`node engine is-${state} ${node.rate > 0 ? '' : 'idle'}`}>
                  <rect x={x.engine} y={node.y + top} width={BOX} height={node.height} rx="3" />
                  <Label
                    x={x.engine - 8}
                    node={node}
                    top={top}
                    name={engineLabel(node)}
                    end
                    {...(state === 'ready' ? {} : { word: state })}
                  />
                </g>
              );
            })}
          </svg>
        )}
        {picture.total === 0 && engines.length > 0 && (
          <p class="note idle-note">No request has ended in the last seconds.</p>
        )}
      </div>
      <table class="unseen">
        <caption>Requests a second by model and engine</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Engine</th>
            <th scope="col">Requests a second</th>
          </tr>
        </thead>
        <tbody>
          {flows.map(({ model, engine, rate }) => (
            <tr key={`${model} ${engine}`}>
              <td>{model}</td>
              <td>{place(byId.get(engine)?.card.url ?? engine)}</td>
              <td>{amount(rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

interface LabelProps {
  readonly x: number;
  readonly top: number;
  readonly node: FlowNode;
  readonly name: string;
  readonly end?: boolean;
  /** In place of the rate. */
  readonly word?: string;
}

/** Name and rate beside a box. */
function Label({ x, top, node, name, end = false, word }: LabelProps) {
  const middle = node.y + node.height / 2 + top;
  const rate = node.rate > 0 ? `${amount(node.rate)}/s` : 'idle';
  return (
    <text x={x} text-anchor={end ? 'end' : 'start'}>
      <tspan x={x} y={middle - 3} class="name">
        {name}
      </tspan>
      <tspan x={x} y={middle + 12} class="rate">
        {word === undefined ? rate : node.rate > 0 ? `${word}, ${rate}` : word}
      </tspan>
    </text>
  );
}
