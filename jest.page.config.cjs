// The tier that looks at the live page in a real Chromium: `npm run test:page`.
const base = require('./jest.config.cjs');

module.exports = {
  ...base,
  testRegex: 'test/page/.*\\.spec\\.ts$',
  globalSetup: '<rootDir>/test/page/support/global-setup.cjs',
  maxWorkers: 1,
  testTimeout: 60_000,
};
