// The tier against a real Prometheus that scrapes a real router under load: `npm run test:prometheus`.
const base = require('./jest.config.cjs');

module.exports = {
  ...base,
  testRegex: 'test/prometheus/.*\\.spec\\.ts$',
  globalSetup: '<rootDir>/test/prometheus/support/global-setup.cjs',
  // The load of one file is not to slow the other down.
  maxWorkers: 1,
  testTimeout: 120_000,
};
