// The tier that runs the lines of the Dockerfile, two installs and a build: `npm run test:image`.
const base = require('./jest.config.cjs');

module.exports = { ...base, testRegex: 'test/image/.*\\.spec\\.ts$', testTimeout: 300_000 };
