// The tier against a real Prometheus that scrapes a real router under load: `npm run test:prometheus`.
const base = require('./jest.config.cjs');

module.exports = {
  ...base,
  testRegex: 'test/prometheus/.*\\.spec\\.ts$',
  globalSetup: '<rootDir>/test/prometheus/support/global-setup.cjs',
  testTimeout: 120_000,
};
