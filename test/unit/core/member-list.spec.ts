import * as fc from 'fast-check';
import { MemberList, type Member } from '../../../src/core/member-list.js';

class Node implements Member<Node> {
  before: Node | null = null;
  after: Node | null = null;
}

describe('a list of members', () => {
  it('holds what a set would hold, the newest first', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(7))), (steps) => {
        const nodes = Array.from({ length: 8 }, () => new Node());
        const list = new MemberList<Node>();
        const model = new Set<Node>();
        for (const [add, at] of steps) {
          const node = nodes[at]!;
          if (add && !model.has(node)) {
            list.add(node);
            model.add(node);
          } else if (!add) {
            list.remove(node);
            model.delete(node);
          }
          expect([...list].reverse()).toEqual([...model]);
          expect(list.size).toBe(model.size);
        }
      }),
    );
  });

  it('lets a member go while it is looked at, and points from it to no other one', () => {
    const list = new MemberList<Node>();
    const nodes = [new Node(), new Node(), new Node()];
    for (const node of nodes) list.add(node);
    const seen: Node[] = [];
    for (const node of list) {
      seen.push(node);
      list.remove(node);
    }
    expect(seen).toEqual([...nodes].reverse());
    expect(list.size).toBe(0);
    for (const { before, after } of nodes) expect([before, after]).toEqual([null, null]);
  });
});
