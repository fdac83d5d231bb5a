import type { VirtualRequest } from './virtual-request.js';

/** Requests to come, the earliest first; equals in the order of their ids. It holds those that are added. */
export class ArrivalHeap {
  readonly #heap: VirtualRequest[] = [];

  get first(): VirtualRequest | undefined {
    return this.#heap[0];
  }

  add(request: VirtualRequest): void {
    const heap = this.#heap;
    let at = heap.push(request) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(request, heap[parent] as VirtualRequest)) break;
      heap[at] = heap[parent] as VirtualRequest;
      at = parent;
    }
    heap[at] = request;
  }

  take(): VirtualRequest | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as VirtualRequest)) child++;
      if (!before(heap[child] as VirtualRequest, last)) break;
      heap[at] = heap[child] as VirtualRequest;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(one: VirtualRequest, other: VirtualRequest): boolean {
  return one.arrival === other.arrival ? one.id < other.id : one.arrival < other.arrival;
}
