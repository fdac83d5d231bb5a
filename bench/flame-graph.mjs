// Flame graphs as SVG from stacks, and the time by groups of code.

const WIDTH = 1200;
const ROW = 17;
const LEAST_SHARE = 0.0008;
const MOST_DEPTH = 60;

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The groups of code, the first pattern that matches a frame decides. */
const GROUPS = [
  ['GC', /Scaveng|MarkCompact|Heap::|GCTracer|Sweep|\(garbage collector\)|Mark(ing|er)|Evacuat/],
  ['kernel', /\[kernel\]|_\[k\]$/],
  ['JavaScript', /^JS:|^LazyCompile:|^Function:|\.m?js:\d+/],
  ['V8 builtins', /^Builtin:|^Builtins_|^BytecodeHandler:|Stub:/],
  ['V8 runtime', /^v8::|v8::internal|^\(program\)/],
];

/** The group of a frame: kernel, GC, V8, JavaScript (with its file), or Node and libraries. */
export function groupOf(frame) {
  const found = GROUPS.find(([, pattern]) => pattern.test(frame));
  if (found === undefined) return 'Node and libraries';
  const file =
    found[0] === 'JavaScript' ? /([\w.@-]+\/[\w.@-]+\.m?js|node:[\w/]+):\d+/.exec(frame)?.[1] : undefined;
  return file === undefined ? found[0] : `${found[0]} ${file}`;
}

/** Stacks (`{ frames, count }`, the outermost frame first) as a tree of `{ name, total, self, children }`. */
export function stackTree(stacks) {
  const root = { name: 'all', total: 0, self: 0, children: new Map() };
  for (const { frames, count } of stacks) {
    let node = root;
    node.total += count;
    for (const name of frames.slice(0, MOST_DEPTH)) {
      let child = node.children.get(name);
      if (child === undefined)
        node.children.set(name, (child = { name, total: 0, self: 0, children: new Map() }));
      child.total += count;
      node = child;
    }
    node.self += count;
  }
  return root;
}

/** Shares of self time, largest first: `{ name, group, share }`. */
export function selfTime(stacks) {
  const all = stacks.reduce((sum, { count }) => sum + count, 0);
  const byName = new Map();
  for (const { frames, count } of stacks) {
    const name = frames.at(-1) ?? 'unknown';
    byName.set(name, (byName.get(name) ?? 0) + count);
  }
  return [...byName]
    .map(([name, count]) => ({ name, group: groupOf(name), share: count / all }))
    .sort((a, b) => b.share - a.share);
}

const HUES = { kernel: 20, GC: 330, 'V8 builtins': 280, 'V8 runtime': 250, JavaScript: 50 };

function colour(name) {
  const group = groupOf(name);
  const hue = HUES[group.startsWith('JavaScript') ? 'JavaScript' : group] ?? 190;
  return `hsl(${hue} 65% ${60 + (name.length % 5) * 4}%)`;
}

/** The flame graph of stacks as an SVG text; frames of less than 0.08 % are left out. Titles tell name and share. */
export function flameGraph(title, stacks) {
  const root = stackTree(stacks);
  const boxes = [];
  let deepest = 0;
  const draw = (node, x, depth) => {
    const share = node.total / root.total;
    if (!(share >= LEAST_SHARE)) return;
    deepest = Math.max(deepest, depth);
    boxes.push({ node, x, depth, share });
    let at = x;
    for (const child of [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      draw(child, at, depth + 1);
      at += child.total / root.total;
    }
  };
  draw(root, 0, 0);
  const height = 40 + (deepest + 1) * ROW;
  const shapes = boxes.map(({ node, x, depth, share }) => {
    const [left, top, width] = [x * WIDTH, height - (depth + 1) * ROW - 6, share * WIDTH];
    const letters = Math.floor((width - 4) / 6.6);
    const label =
      letters < 3 ? '' : node.name.length > letters ? `${node.name.slice(0, letters - 1)}…` : node.name;
    return (
      `<g><title>${escaped(node.name)}: ${(share * 100).toFixed(2)} %</title>` +
      `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colour(node.name)}"/>` +
      `${label === '' ? '' : `<text x="${(left + 2).toFixed(1)}" y="${top + 12}">${escaped(label)}</text>`}</g>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:11px ui-monospace,monospace;fill:#111}.t{font:600 15px system-ui,sans-serif}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/><text class="t" x="8" y="20">${escaped(title)}</text>`,
    ...shapes,
    '</svg>\n',
  ].join('\n');
}

/** Stacks from the text of `perf script`. */
export function stacksOfPerf(text) {
  const counts = new Map();
  for (const block of text.split(/\n\s*\n/)) {
    const frames = block
      .split('\n')
      .filter((line) => /^\s+[0-9a-f]+ /.test(line))
      .map((line) => {
        const [, symbol, object] = /^\s+[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? [null, line.trim(), ''];
        const name = symbol.replace(/\+0x[0-9a-f]+$/, '');
        return /kernel|\[guest/.test(object) ? `${name} [kernel]` : name;
      })
      .reverse();
    if (frames.length === 0) continue;
    const key = frames.join('\n');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => ({ frames: key.split('\n'), count }));
}

/** Stacks from a .cpuprofile of Node. */
export function stacksOfCpuProfile(profile) {
  const parents = new Map();
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const name = ({ functionName, url, lineNumber }) =>
    url === ''
      ? functionName
      : `JS:${functionName || 'anonymous'} ${url.replace(/^file:\/\//, '')}:${lineNumber + 1}`;
  return profile.nodes
    .filter((node) => node.hitCount > 0 && node.callFrame.functionName !== '(idle)')
    .map((node) => {
      const frames = [];
      for (let id = node.id; id !== undefined; id = parents.get(id))
        frames.push(name(byId.get(id).callFrame));
      return { frames: frames.reverse().slice(1), count: node.hitCount };
    });
}
