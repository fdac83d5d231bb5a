/** What flows from one model to one engine, requests a second. */
export interface FlowInput {
  readonly model: string;
  readonly engine: string;
  readonly rate: number;
}

/** A box of the picture: its place from above, and what flows through it. */
export interface FlowNode {
  readonly key: string;
  readonly y: number;
  readonly height: number;
  readonly rate: number;
}

/** A band between two boxes, by the heights of its middle at both ends. */
export interface FlowBand {
  readonly key: string;
  readonly model: string;
  readonly engine: string | null;
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly rate: number;
}

export interface FlowLayout {
  readonly height: number;
  readonly total: number;
  readonly client: FlowNode;
  readonly models: readonly FlowNode[];
  readonly engines: readonly FlowNode[];
  /** From clients to models. */
  readonly asked: readonly FlowBand[];
  /** From models to engines. */
  readonly sent: readonly FlowBand[];
}

/** Space for each box with its label, and the least height of a box. */
const ROW = 46;
const LEAST = 6;
/** The part of the space that bands may take. */
const FILLED = 0.62;
const THINNEST = 1.5;

/**
 * Places clients, models and engines in three columns, with bands as wide as what flows.
 * @param models and `engines` by key, in the order from above; also those to which nothing flows
 */
export function flowLayout(
  flows: readonly FlowInput[],
  models: readonly string[],
  engines: readonly string[],
): FlowLayout {
  const total = flows.reduce((sum, { rate }) => sum + rate, 0);
  const height = ROW * Math.max(models.length, engines.length, 2);
  const scale = total === 0 ? 0 : (height * FILLED) / total;
  const rateOf = (part: 'model' | 'engine', key: string): number =>
    flows.reduce((sum, flow) => sum + (flow[part] === key ? flow.rate : 0), 0);
  const column = (keys: readonly string[], rate: (key: string) => number): FlowNode[] => {
    const heights = keys.map((key) => Math.max(LEAST, rate(key) * scale));
    const gap = (height - heights.reduce((sum, one) => sum + one, 0)) / keys.length;
    let y = gap / 2;
    return keys.map((key, at) => {
      const node = { key, y, height: heights[at]!, rate: rate(key) };
      y += heights[at]! + gap;
      return node;
    });
  };
  const [client] = column(['clients'], () => total) as [FlowNode];
  const modelNodes = column(models, (key) => rateOf('model', key));
  const engineNodes = column(engines, (key) => rateOf('engine', key));

  const ports = new Map<string, number>();
  /** The middle of the next band at one side of a box: bands lie side by side, centred. */
  const port = (side: string, node: FlowNode, width: number): number => {
    const key = `${side} ${node.key}`;
    const used = ports.get(key) ?? 0;
    ports.set(key, used + width);
    return node.y + Math.max(0, node.height - node.rate * scale) / 2 + used + width / 2;
  };
  const asked = modelNodes
    .filter(({ rate }) => rate > 0)
    .map((node) => {
      const width = node.rate * scale;
      const band = { key: node.key, model: node.key, engine: null, rate: node.rate };
      return {
        ...band,
        from: port('out', client, width),
        to: node.y + node.height / 2,
        width: Math.max(THINNEST, width),
      };
    });
  const sent = modelNodes.flatMap((from) =>
    engineNodes.flatMap((to) => {
      const rate = flows.reduce(
        (sum, flow) => sum + (flow.model === from.key && flow.engine === to.key ? flow.rate : 0),
        0,
      );
      if (rate === 0) return [];
      const width = rate * scale;
      return [
        {
          ...{ key: `${from.key} ${to.key}`, model: from.key, engine: to.key, rate },
          ...{ from: port('right', from, width), to: port('left', to, width) },
          width: Math.max(THINNEST, width),
        },
      ];
    }),
  );
  return { height, total, client, models: modelNodes, engines: engineNodes, asked, sent };
}
