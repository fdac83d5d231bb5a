import { Logger } from '@nestjs/common';
import type { Settings } from '../../config/settings.schema.js';
import type { EngineSpec } from '../../core/engine.js';
import { enginesOfServices, readService, readSlice } from '../../core/kubernetes/endpoint-slice.js';
import { enginesOfPods, readPod } from '../../core/kubernetes/pod.js';
import { type DiscoveryStatus, EngineDiscovery } from '../engine-discovery.js';
import { SystemTimers, type Timers } from '../timers.js';
import { ApiConnection, reasonOf } from './kubernetes/api-connection.js';
import type { ApiCredentials } from './kubernetes/api-credentials.js';
import { type CredentialPlaces, findCredentials } from './kubernetes/find-credentials.js';
import { ListWatch } from './kubernetes/list-watch.js';
import { LIST_WATCH_LIMITS, type ListWatchLimits } from './kubernetes/list-watch-limits.js';

const READS = [
  'k8sPort',
  'k8sNamespace',
  'k8sLabelSelector',
  'k8sServiceDiscoveryType',
  'k8sWatcherTimeoutSeconds',
] as const satisfies readonly (keyof Settings)[];

/** The settings that Kubernetes discovery reads. */
export type KubernetesDiscoveryOptions = Pick<Settings, (typeof READS)[number]>;

/** What surrounds it; absent parts are the real ones. */
export interface KubernetesEnvironment extends CredentialPlaces {
  readonly timers?: Timers;
  readonly limits?: Partial<ListWatchLimits>;
}

/** The parts of one watched view of the cluster. */
interface View {
  readonly watches: readonly ListWatch<{ readonly uid: string }>[];
  readonly engines: () => readonly EngineSpec[];
}

/**
 * Engines of a Kubernetes namespace: the ready pods (`pod-ip`), or the Services with a ready endpoint
 * (`service-name`), found by list and watch. Needs get, list and watch of pods; for `service-name` of
 * services and endpointslices instead.
 */
export class KubernetesDiscovery extends EngineDiscovery {
  static readonly providerName = 'k8s';
  static readonly reads = READS;

  readonly #log = new Logger(KubernetesDiscovery.name);
  readonly #timers: Timers;
  readonly #limits: ListWatchLimits;
  #status: DiscoveryStatus;
  #view: View | null = null;
  #publish: ((engines: readonly EngineSpec[]) => void) | null = null;
  #published: string | null = null;

  constructor(
    private readonly options: KubernetesDiscoveryOptions,
    private readonly environment: KubernetesEnvironment = {},
  ) {
    super();
    this.#timers = environment.timers ?? new SystemTimers();
    this.#limits = { ...LIST_WATCH_LIMITS, ...environment.limits };
    this.#status = { state: 'starting', reason: 'no list of the API server yet', since: this.#timers.now() };
  }

  override get status(): DiscoveryStatus {
    return this.#status;
  }

  override async start(publish: (engines: readonly EngineSpec[]) => void): Promise<void> {
    const credentials = await findCredentials(this.environment);
    this.#publish = publish;
    this.#view =
      this.options.k8sServiceDiscoveryType === 'service-name'
        ? this.#serviceView(credentials)
        : this.#podView(credentials);
    for (const watch of this.#view.watches) watch.start();
  }

  override async stop(): Promise<void> {
    this.#publish = null;
    await Promise.all((this.#view?.watches ?? []).map((watch) => watch.stop()));
    this.#enter('stopped', 'stopped');
  }

  #podView(credentials: ApiCredentials): View {
    const { k8sNamespace, k8sPort, k8sLabelSelector } = this.options;
    const path = `/api/v1/namespaces/${k8sNamespace}/pods`;
    const pods = this.#watch(credentials, 'pods', path, k8sLabelSelector, (pod) => readPod(pod, k8sPort));
    return { watches: [pods], engines: () => enginesOfPods(pods.values()) };
  }

  #serviceView(credentials: ApiCredentials): View {
    const { k8sNamespace, k8sPort, k8sLabelSelector } = this.options;
    const services = this.#watch(
      credentials,
      'services',
      `/api/v1/namespaces/${k8sNamespace}/services`,
      k8sLabelSelector,
      readService,
    );
    // Slices made by hand need not carry the Service's labels: all of the namespace, matched by name.
    const slices = this.#watch(
      credentials,
      'endpointslices',
      `/apis/discovery.k8s.io/v1/namespaces/${k8sNamespace}/endpointslices`,
      '',
      readSlice,
    );
    const domain = credentials.ownNamespace === k8sNamespace ? '' : `.${k8sNamespace}`;
    return {
      watches: [services, slices],
      engines: () => enginesOfServices(services.values(), slices.values(), domain, k8sPort),
    };
  }

  #watch<T extends { readonly uid: string }>(
    credentials: ApiCredentials,
    plural: string,
    path: string,
    labelSelector: string,
    read: (object: unknown) => T | null,
  ): ListWatch<T> {
    return new ListWatch<T>({
      resource: { what: `${plural} of namespace ${this.options.k8sNamespace}`, path, labelSelector },
      read,
      connect: () => ApiConnection.open(credentials, this.#limits),
      changed: () => this.#changed(),
      limits: this.#limits,
      timers: this.#timers,
      watchSeconds: this.options.k8sWatcherTimeoutSeconds,
    });
  }

  #changed(): void {
    const view = this.#view;
    if (!view || !this.#publish) return;
    const synced = view.watches.every((watch) => watch.synced);
    const trouble = view.watches.map((watch) => watch.trouble).find((reason) => reason !== null) ?? null;
    if (trouble !== null) this.#enter(synced ? 'degraded' : 'starting', trouble);
    else if (synced) this.#enter('synced', null);
    if (synced) this.#publishIfNew(view.engines());
  }

  #publishIfNew(engines: readonly EngineSpec[]): void {
    const sorted = [...engines].sort((a, b) => (a.url < b.url ? -1 : 1));
    const key = JSON.stringify(sorted);
    if (key === this.#published) return;
    this.#published = key;
    try {
      this.#publish?.(sorted);
    } catch (error) {
      this.#log.error(`a listener to the discovered engines failed: ${reasonOf(error)}`);
    }
  }

  #enter(state: DiscoveryStatus['state'], reason: string | null): void {
    const before = this.#status;
    if (before.state === state && before.reason === reason) return;
    const since = before.state === state ? before.since : this.#timers.now();
    this.#status = { state, reason, since };
    if (state === 'synced' && before.state === 'degraded') this.#log.log('the cluster is followed again');
    if (reason !== null && state !== 'stopped') this.#log.warn(`${reason}; the engines known so far stay`);
  }
}
