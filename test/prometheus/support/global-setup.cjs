const { join } = require('node:path');

/** Says what is missing before any test runs. */
module.exports = async function setup() {
  const { needPrometheus } = await import(join(__dirname, '../../../show/prometheus.mjs'));
  try {
    needPrometheus();
  } catch (error) {
    throw new Error(`test:prometheus needs ${error.message}`, { cause: error });
  }
};
