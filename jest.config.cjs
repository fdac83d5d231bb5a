const { availableParallelism } = require('node:os');

// Nest 12 and several of its friends ship ES modules only; swc turns them (and our sources) into
// CommonJS, which jest runs on every supported Node without flags.
const swc = (syntax) => [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser: { syntax, decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'commonjs' },
  },
];

const base = {
  testEnvironment: 'node',
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': swc('typescript'), '^.+\\.m?js$': swc('ecmascript') },
  transformIgnorePatterns: [],
};

module.exports = {
  ...base,
  rootDir: __dirname,
  testRegex: 'test/(unit|e2e)/.*\\.spec\\.ts$',
  testTimeout: 20_000,
  // Many tests wait for sockets and processes: more workers than cores leave none idle meanwhile.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
};
