import { setTimeout as pause } from 'node:timers/promises';
import { reasonOf } from '../config/settings-error.js';
import type { Settings } from '../config/settings.schema.js';
import { type Finding, fine, problem } from '../core/check/finding.js';
import type { EngineSpec } from '../core/engine.js';
import type { DiscoveryProvider } from '../discovery/discovery-provider.js';
import { RunningDiscovery } from '../discovery/running-discovery.js';

/** How long a discovery is waited for, milliseconds. */
export interface Patience {
  /** Until it names its engines. */
  readonly all: number;
  /** Until it gets over a trouble that it tells of. */
  readonly trouble: number;
}

const PATIENCE: Patience = { all: 10_000, trouble: 2_000 };
const LOOK_MS = 50;

export interface FoundEngines {
  readonly engines: readonly EngineSpec[];
  readonly findings: readonly Finding[];
}

/** Runs the discovery until it names its engines or says why it cannot. */
export async function findEngines(
  provider: DiscoveryProvider,
  settings: Settings,
  patience = PATIENCE,
): Promise<FoundEngines> {
  let running: RunningDiscovery;
  try {
    running = await RunningDiscovery.start(provider, settings);
  } catch (error) {
    return { engines: [], findings: [problem(reasonOf(error), 'mend the settings of the discovery')] };
  }
  let engines: readonly EngineSpec[] | null = null;
  running.attach((found) => (engines = found));
  let waited = 0;
  const inTrouble = (): boolean => running.status.reason !== null && waited >= patience.trouble;
  while (engines === null && waited < patience.all && !inTrouble()) {
    await pause(LOOK_MS);
    waited += LOOK_MS;
  }
  const { reason } = running.status;
  await running.stop();
  return { engines: engines ?? [], findings: findingsOf(provider.providerName, engines, reason, settings) };
}

function findingsOf(
  name: string,
  engines: readonly EngineSpec[] | null,
  reason: string | null,
  settings: Settings,
): Finding[] {
  const findings: Finding[] = [];
  if (reason !== null) findings.push(problem(reason, remedy(name, reason, settings)));
  else if (engines === null) {
    findings.push(problem(`${name} does not name its engines`, 'is its source reachable from here?'));
  }
  if (engines?.length === 0) findings.push(problem('it finds no engines', whereNone(name, settings)));
  else if (engines !== null) {
    findings.push(fine(`${name} finds ${engines.length} ${engines.length === 1 ? 'engine' : 'engines'}`));
  }
  return findings;
}

function remedy(name: string, reason: string, { k8sNamespace }: Settings): string {
  if (name !== 'k8s') return 'look at what it finds engines by';
  if (/\b403\b|forbidden/i.test(reason)) {
    return (
      `let the account of the router get, list and watch pods in namespace ${k8sNamespace}, and with ` +
      '--k8s-service-discovery-type service-name services and endpointslices: k8s/base/role.yaml has the Role'
    );
  }
  if (/\b401\b|unauthorized/i.test(reason))
    return 'the API server does not take the credentials: look at the kubeconfig';
  return 'is the API server reachable from here, and its certificate trusted?';
}

function whereNone(
  name: string,
  { k8sNamespace, k8sLabelSelector, k8sServiceDiscoveryType }: Settings,
): string {
  if (name !== 'k8s') return 'is its source empty?';
  const selector = k8sLabelSelector === '' || k8sLabelSelector === null ? '' : ` -l ${k8sLabelSelector}`;
  const kind = k8sServiceDiscoveryType === 'service-name' ? 'services,endpointslices' : 'pods';
  return `see what matches and is Ready: kubectl get ${kind} -n ${k8sNamespace}${selector}`;
}
