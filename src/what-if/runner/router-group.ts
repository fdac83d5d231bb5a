import type { VirtualRequest } from '../../simulator/virtual/virtual-request.js';
import type { VirtualRouter } from './virtual-router.js';

/**
 * Processes of one router: requests are dealt among them by chance, as connections are, and what one knows the
 * others hear in batches, as the workers of the real router do.
 */
export class RouterGroup {
  readonly routers: readonly VirtualRouter[];
  readonly #random: () => number;
  readonly #share: boolean;
  /** Which process has a request that is in flight. */
  readonly #owners = new Map<VirtualRequest, VirtualRouter>();

  /** @param share whether the processes hear of each other at all */
  constructor(routers: readonly VirtualRouter[], random: () => number, share = true) {
    if (routers.length === 0) throw new RangeError('there is no router');
    this.routers = routers;
    this.#random = random;
    this.#share = share;
  }

  /** The process that gets a new request. */
  deal(request: VirtualRequest): VirtualRouter {
    const { routers } = this;
    const at = routers.length === 1 ? 0 : Math.floor(this.#random() * routers.length);
    const router = routers[at] as VirtualRouter;
    if (routers.length > 1) this.#owners.set(request, router);
    return router;
  }

  /** The process that has the request. */
  ownerOf(request: VirtualRequest): VirtualRouter {
    return this.#owners.get(request) ?? (this.routers[0] as VirtualRouter);
  }

  forget(request: VirtualRequest): void {
    this.#owners.delete(request);
  }

  /** One exchange of news: each process hears what the others have in flight and have learned. */
  exchange(): void {
    const { routers } = this;
    if (!this.#share || routers.length === 1) return;
    const told = routers.map(({ strategy }) => strategy.share?.take() ?? null);
    routers.forEach((router, to) => {
      told.forEach((news, from) => {
        if (news !== null && from !== to) router.strategy.share?.heed(from, structuredClone(news));
      });
      router.candidates.forEach((candidate, engine) => {
        let others = 0;
        for (const other of routers) if (other !== router) others += other.candidates[engine]?.own ?? 0;
        candidate.others = others;
      });
    });
  }
}
