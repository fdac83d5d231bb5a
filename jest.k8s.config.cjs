// The tier against a real kube-apiserver and etcd: `KUBE_TOOLS_DIR=... npm run test:k8s`.
const { spawnSync } = require('node:child_process');
const base = require('./jest.config.cjs');

const CHART = 'test/k8s/chart.spec.ts';
const helm = process.env.HELM ?? 'helm';
const hasHelm = spawnSync(helm, ['version', '--short']).status === 0;
if (!hasHelm) process.stderr.write(`${CHART} is left out: ${helm} does not run; HELM names another one\n`);

module.exports = {
  ...base,
  testRegex: 'test/k8s/.*\\.spec\\.ts$',
  ...(!hasHelm && { testPathIgnorePatterns: ['/node_modules/', CHART] }),
  globalSetup: '<rootDir>/test/k8s/support/global-setup.cjs',
  // Each file starts a cluster of its own and measures how fast it is followed.
  maxWorkers: 1,
  testTimeout: 90_000,
};
