import { combine, hashText } from './hash.js';

/**
 * Rendezvous (highest random weight) hashing: the nodes in the order in which `key` prefers them.
 * Every key has an order of its own over all nodes, so a node that leaves hands each of its keys to
 * that key's next choice and moves no other key, and a node that comes takes only the keys that prefer
 * it. Nothing is kept between calls: routers that know the same names agree.
 *
 * @param nameOf the node's lasting name; nodes of one name are ordered as given
 */
export function rendezvous<Node>(
  key: string,
  nodes: readonly Node[],
  nameOf: (node: Node) => string,
): readonly Node[] {
  const keyHash = hashText(key);
  const scored = nodes.map((node) => {
    const name = nameOf(node);
    return { node, name, score: combine(keyHash, hashText(name)) };
  });
  scored.sort((a, b) => {
    if (a.score.high !== b.score.high) return b.score.high - a.score.high;
    if (a.score.low !== b.score.low) return b.score.low - a.score.low;
    return a.name < b.name ? -1 : Number(a.name > b.name);
  });
  return scored.map(({ node }) => node);
}
