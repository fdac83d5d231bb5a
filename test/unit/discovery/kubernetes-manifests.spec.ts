import { posix } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../../src/config/settings.schema.js';
import { projectFiles, readProjectFile } from '../../support/project-files.js';

const read = (name: string) => parse(readProjectFile(`k8s/base/${name}`));
const pod = read('deployment.yaml').spec.template;
const container = pod.spec.containers[0];

interface Kustomization {
  readonly resources?: readonly string[];
  readonly patches?: readonly { readonly path?: string }[];
}

const kustomizations = projectFiles('k8s').filter((path) => path.endsWith('/kustomization.yaml'));
/** Files, by their path from the root, that a kustomization names. */
const namedBy = (path: string): string[] => {
  const { resources = [], patches = [] } = parse(readProjectFile(path)) as Kustomization;
  const names = [...resources, ...patches.flatMap(({ path: patch }) => patch ?? [])];
  return names.map((name) => posix.join(posix.dirname(path), name)).filter((name) => name.endsWith('.yaml'));
};

it('has each of its files in a kustomization, the examples of observability/ apart', () => {
  const named = new Set([...kustomizations, ...kustomizations.flatMap(namedBy)]);
  const files = projectFiles('k8s').filter((path) => !path.startsWith('k8s/observability/'));
  expect(files.filter((path) => !named.has(path))).toEqual([]);
});

it('keeps custom resources, whose definitions may not be there, out of every kustomization', () => {
  const groups = kustomizations
    .flatMap(namedBy)
    .flatMap((path) => parseAllDocuments(readProjectFile(path)))
    .map((document) => String(document.get('apiVersion')).replace(/\/?v\d.*$/, ''));
  expect(new Set(groups)).toEqual(new Set(['', 'apps', 'policy', 'rbac.authorization.k8s.io']));
});

it('gives the router time to drain before it is killed', () => {
  const needed = Number(SETTINGS.shutdownDelay.default) + Number(SETTINGS.shutdownTimeout.default);
  expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
});

it('probes liveness apart from readiness', () => {
  expect(container.startupProbe.httpGet.path).toBe('/health');
  expect(container.livenessProbe.httpGet.path).toBe('/health');
  expect(container.readinessProbe.httpGet.path).toBe('/ready');
});

it('keeps the variables of a Service named like the router out of its environment', () => {
  expect(read('service.yaml').metadata.name).toBe('vllm-router');
  expect(pod.spec.enableServiceLinks).toBe(false);
});

it('sends the Service to the pods of the Deployment', () => {
  expect(pod.metadata.labels).toMatchObject(read('service.yaml').spec.selector);
  expect(pod.metadata.labels).toMatchObject(read('pdb.yaml').spec.selector.matchLabels);
  expect(container.ports[0].name).toBe(read('service.yaml').spec.ports[0].targetPort);
  expect(container.args).toContain(`--port=${container.ports[0].containerPort}`);
});

it('mounts the dynamic file that the args name', () => {
  const [mount] = container.volumeMounts;
  const [name] = Object.keys(read('configmap.yaml').data);
  expect(container.args).toContain(`--dynamic-config-json=${mount.mountPath}/${name}`);
  expect(pod.spec.volumes[0].configMap.name).toBe(read('configmap.yaml').metadata.name);
});

it('gives the container nothing that it does not need', () => {
  expect(pod.spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(pod.spec).not.toHaveProperty('hostNetwork');
  expect(pod.spec.volumes.every((volume: object) => !('hostPath' in volume))).toBe(true);
  expect(container.volumeMounts.every((mount: { readOnly?: boolean }) => mount.readOnly === true)).toBe(true);
});
