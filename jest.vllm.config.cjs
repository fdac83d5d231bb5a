// The tier against two real vLLM engines on CPU: `VLLM_CPU_DIR=... npm run test:vllm`.
const base = require('./jest.config.cjs');

module.exports = {
  ...base,
  testRegex: 'test/vllm/.*\\.spec\\.ts$',
  maxWorkers: 1,
  // Engines are started twice, 30 to 80 s each time.
  testTimeout: 600_000,
};
