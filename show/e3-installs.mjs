// E3: the chart with several sets of values by `helm install`, and each overlay by `kubectl apply -k`, both with a dry run on a
// real API server; then the chart installed, upgraded and taken away. Needs KUBE_TOOLS_DIR, and helm on PATH or named by HELM.
// No options.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { Figures, Missing } from './figures.mjs';
import { addTests, needKubernetes } from './jest-tier.mjs';

export async function show() {
  needKubernetes();
  const helm = process.env.HELM ?? 'helm';
  const { status, stdout } = spawnSync(helm, ['version', '--short'], { encoding: 'utf8' });
  if (status !== 0) throw new Missing(`helm: ${helm} does not run; HELM names another one`);
  const figures = new Figures();
  figures.note('helm', stdout.trim());
  addTests(figures, 'jest.k8s.config.cjs', ['test/k8s/manifests', 'test/k8s/chart']);
  return figures;
}
