const { existsSync } = require('node:fs');

/** Says what is missing before any test runs. */
module.exports = function setup() {
  const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  if (existsSync(chromium)) return;
  throw new Error(
    `test:page needs Chromium, and there is none at ${chromium}: on Debian and Ubuntu \`apt-get install -y chromium\`, ` +
      'or set CHROMIUM to the path of one.',
  );
};
