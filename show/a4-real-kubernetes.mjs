// A4: the fleet follows a real kube-apiserver: the tests of test/k8s, each of which asserts how fast.
// Needs KUBE_TOOLS_DIR (see test/k8s/support/global-setup.cjs).
import { Figures } from './figures.mjs';
import { addTests, needKubernetes } from './jest-tier.mjs';

export async function show() {
  needKubernetes();
  const figures = new Figures();
  addTests(figures, 'jest.k8s.config.cjs', ['test/k8s/(?!manifests)']);
  return figures;
}
