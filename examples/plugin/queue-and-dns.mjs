// A plugin with one strategy and one discovery. It needs no build and imports nothing of the router: the
// classes that it extends come with `api`, so that no second copy of them is loaded.
//
//   vllm-router --plugin ./examples/plugin/queue-and-dns.mjs --service-discovery dns \
//     --static-backends http://vllm-headless:8000 --routing-logic shortest-queue
import { lookup } from 'node:dns/promises';

/** How often names are resolved again, milliseconds. */
const INTERVAL = 5_000;

/** @param {import('vllm-router').PluginApi} api */
export default function plugin({ RoutingStrategy, EngineDiscovery }) {
  /** The engine with the shortest queue of its own first, then the one with the fewest of our requests. */
  class ShortestQueueStrategy extends RoutingStrategy {
    static strategyName = 'shortest-queue';

    // Queues change: a request that failed on one engine ranks those that are left again.
    ranksBySignals = true;

    rank(_request, candidates) {
      // Signals are live: each is read once, so that the order cannot change while it is being made.
      const queues = candidates.map((candidate) => {
        const { engineWaiting, inFlight } = candidate.signals;
        return { candidate, waiting: engineWaiting ?? 0, inFlight };
      });
      queues.sort((a, b) => a.waiting - b.waiting || a.inFlight - b.inFlight);
      return queues.map(({ candidate, waiting }) => ({ candidate, reason: `${waiting} waiting` }));
    }
  }

  /** Every address behind the host names of `--static-backends`, a headless Service for example. */
  class DnsDiscovery extends EngineDiscovery {
    static providerName = 'dns';
    static reads = ['staticBackends'];

    #urls;
    #timer;
    #stopped = false;
    #status = { state: 'starting', reason: 'no name is resolved yet', since: Date.now() };

    constructor(settings) {
      super();
      this.#urls = settings.staticBackends ?? [];
    }

    get status() {
      return this.#status;
    }

    async start(publish) {
      const round = async () => {
        try {
          const engines = (await Promise.all(this.#urls.map(enginesBehind))).flat();
          if (this.#stopped) return;
          this.#enter('synced', null);
          publish(engines);
        } catch (error) {
          // What was published stays in force: a name server that is down takes no engine away.
          this.#enter(this.#status.state === 'starting' ? 'starting' : 'degraded', error.message);
        }
        if (!this.#stopped) this.#timer = setTimeout(round, INTERVAL).unref();
      };
      void round();
    }

    async stop() {
      this.#stopped = true;
      clearTimeout(this.#timer);
      this.#enter('stopped', 'stopped');
    }

    #enter(state, reason) {
      const since = state === this.#status.state ? this.#status.since : Date.now();
      this.#status = { state, reason, since };
    }
  }

  return { strategies: [ShortestQueueStrategy], discoveries: [DnsDiscovery] };
}

/** One engine for each address of the URL's host. Models are left out: each engine is asked for its own. */
async function enginesBehind(base) {
  const url = new URL(base);
  const addresses = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true });
  return addresses.map(({ address, family }) => {
    url.hostname = family === 6 ? `[${address}]` : address;
    const engine = url.href.replace(/\/$/, '');
    return { id: engine, url: engine };
  });
}
