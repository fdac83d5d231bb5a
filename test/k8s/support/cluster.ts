import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { kubeScript, run } from './kube-tools.js';

/** A pod's wished state. */
export interface PodWish {
  readonly ip?: string;
  readonly ready?: boolean;
  readonly phase?: string;
}

/** A control plane of its own: etcd, kube-apiserver, controllers; no kubelet, which `status` plays. */
export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'vllm-router-k8s-'));
  #exports: Readonly<Record<string, string>> = {};
  #agent: Agent | null = null;
  #starting = false;

  private constructor(
    private readonly name: string,
    private readonly apiServerArgs: string,
  ) {}

  static async start(name: string, apiServerArgs = ''): Promise<Cluster> {
    const cluster = new Cluster(`vr-${name}-${process.pid}`, apiServerArgs);
    try {
      await cluster.up();
      return cluster;
    } catch (error) {
      await cluster.wipe();
      throw error;
    }
  }

  get server(): URL {
    return new URL(this.#export('KUBE_SERVER'));
  }

  /** The administrator's. */
  get kubeconfig(): string {
    return this.#export('KUBECONFIG');
  }

  get etcd(): string {
    return this.#export('KUBE_ETCD');
  }

  /** Whether `up` is at work. */
  get starting(): boolean {
    return this.#starting;
  }

  /** Starts what is not running. */
  async up(): Promise<void> {
    this.#starting = true;
    const start = () => run('bash', [kubeScript('up.sh')], { env: this.#env() });
    // On a busy machine a process that has only just been started may be taken for one that has ended.
    const printed = await start()
      .catch(start)
      .finally(() => (this.#starting = false));
    const found = [...printed.matchAll(/(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]);
    this.#exports = Object.fromEntries(found);
    this.#agent ??= new Agent({ connect: { ca: readFileSync(this.#export('KUBE_CA')) } });
  }

  async wipe(): Promise<void> {
    await run('bash', [kubeScript('down.sh'), '--wipe'], { env: this.#env() });
    await this.#agent?.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async killApiServer(): Promise<void> {
    await run('bash', [kubeScript('down.sh'), '--only', 'kube-apiserver', 'KILL'], {
      env: this.#env(),
    });
  }

  signalApiServer(signal: NodeJS.Signals): void {
    const assets = process.env['KUBE_ASSETS'] ?? join(homedir(), '.cache', 'vllm-router', 'kube');
    const pid = Number(readFileSync(join(assets, 'run', this.name, 'kube-apiserver.pid'), 'utf8'));
    process.kill(pid, signal);
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    return run(join(this.#export('KUBEBUILDER_ASSETS'), 'kubectl'), [
      '--kubeconfig',
      this.kubeconfig,
      ...args,
    ]);
  }

  /** A request as the administrator. @throws {Error} unless it succeeds */
  async api(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
    const answer = await request(this.server.origin + path, {
      method,
      headers: { authorization: `Bearer ${this.#export('KUBE_TOKEN')}`, 'content-type': type },
      ...(body && { body: JSON.stringify(body) }),
      dispatcher: this.#agent ?? new Agent(),
      headersTimeout: 5_000,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text);
  }

  async addPod(name: string, labels: Readonly<Record<string, string>>, namespace = 'default'): Promise<void> {
    const spec = { nodeName: 'lab', containers: [{ name: 'engine', image: 'engine' }] };
    await this.api('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name, labels }, spec });
  }

  /** What a kubelet would report. */
  async status(name: string, wish: PodWish, namespace = 'default'): Promise<void> {
    const { ip, ready = true, phase = 'Running' } = wish;
    await this.api('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, {
      status: {
        phase,
        ...(ip !== undefined && { podIP: ip, podIPs: [{ ip }] }),
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    });
  }

  async label(name: string, labels: Readonly<Record<string, string>>, namespace = 'default'): Promise<void> {
    await this.api('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { labels } });
  }

  /** With 0 seconds it vanishes at once. */
  async deletePod(name: string, graceSeconds: number, namespace = 'default'): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=${graceSeconds}`;
    await this.api('DELETE', path);
  }

  /** The folder and variables that a pod of this ServiceAccount would find. */
  async asPod(
    account: string,
    namespace = 'default',
  ): Promise<{ secretsDir: string; env: NodeJS.ProcessEnv }> {
    const secretsDir = mkdtempSync(join(this.folder, 'secrets-'));
    writeFileSync(join(secretsDir, 'token'), await this.token(account, namespace));
    writeFileSync(join(secretsDir, 'ca.crt'), readFileSync(this.#export('KUBE_CA')));
    writeFileSync(join(secretsDir, 'namespace'), namespace);
    const env = { KUBERNETES_SERVICE_HOST: this.server.hostname, KUBERNETES_SERVICE_PORT: this.server.port };
    return { secretsDir, env };
  }

  /** A kubeconfig that holds nothing but this ServiceAccount's token. */
  async kubeconfigOf(account: string, namespace = 'default'): Promise<string> {
    const file = join(mkdtempSync(join(this.folder, 'kubeconfig-')), 'config');
    const cluster = { server: this.server.origin, 'certificate-authority': this.#export('KUBE_CA') };
    const user = { token: await this.token(account, namespace) };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: account, user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: account } }],
      'current-context': 'test',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  async token(account: string, namespace = 'default'): Promise<string> {
    return (await this.kubectl('-n', namespace, 'create', 'token', account, '--duration=1h')).trim();
  }

  #export(key: string): string {
    const value = this.#exports[key];
    if (value === undefined) throw new Error(`up.sh printed no ${key}`);
    return value;
  }

  #env(): NodeJS.ProcessEnv {
    return { ...process.env, KUBE_NAME: this.name, KUBE_APISERVER_ARGS: this.apiServerArgs };
  }
}
