// The tier against a real kube-apiserver and etcd: `KUBE_TOOLS_DIR=... npm run test:k8s`.
const base = require('./jest.config.cjs');

module.exports = {
  ...base,
  testRegex: 'test/k8s/.*\\.spec\\.ts$',
  globalSetup: '<rootDir>/test/k8s/support/global-setup.cjs',
  // Each file starts a cluster of its own and measures how fast it is followed.
  maxWorkers: 1,
  testTimeout: 90_000,
};
