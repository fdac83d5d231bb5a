const { execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** Says what is missing before any test runs, and has the binaries built. */
module.exports = function setup() {
  const folder = process.env['KUBE_TOOLS_DIR'];
  if (!folder) {
    throw new Error(
      'test:k8s needs a real kube-apiserver: set KUBE_TOOLS_DIR to a folder with build.sh, which provides the ' +
        'binaries, up.sh, which starts etcd and kube-apiserver and prints shell exports (KUBECONFIG, ' +
        'KUBEBUILDER_ASSETS, KUBE_SERVER, KUBE_CA, KUBE_TOKEN, KUBE_ETCD), and down.sh, which stops them. ' +
        'KUBE_ASSETS (optional) is where they keep binaries and state.',
    );
  }
  for (const script of ['build.sh', 'up.sh', 'down.sh']) {
    if (existsSync(join(folder, script))) continue;
    throw new Error(`test:k8s: KUBE_TOOLS_DIR is ${folder}, and there is no ${script} in it`);
  }
  execFileSync('bash', [join(folder, 'build.sh')], { stdio: ['ignore', 'ignore', 'inherit'] });
};
