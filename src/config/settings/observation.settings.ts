import { bool, bytes, choice, number, optionalText, seconds, text } from '../setting-kinds.js';

const MIB = 1024 ** 2;

/** What the router measures and tells, and the file it follows. */
export const OBSERVATION_SETTINGS = {
  engineStatsInterval: seconds(
    { group: 'Statistics and logs', help: 'How often the metrics of every engine are read.' },
    { default: 30 },
  ),
  requestStatsWindow: seconds(
    { group: 'Statistics and logs', help: 'The window over which rates and averages of requests are taken.' },
    { default: 60, min: 1, max: 86_400 },
  ),
  logStats: bool({ group: 'Statistics and logs', help: 'Log the statistics of every engine.' }),
  logStatsInterval: seconds(
    { group: 'Statistics and logs', help: 'How often --log-stats logs.' },
    { default: 30 },
  ),
  logFormat: choice(
    { group: 'Statistics and logs', help: 'Logs as lines to read or as JSON.' },
    { values: ['text', 'json'], default: 'text' },
  ),
  logLevel: choice(
    { group: 'Statistics and logs', help: 'The least severe log lines to write.' },
    {
      values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      default: 'info',
      synonyms: { critical: 'fatal', warning: 'warn' },
    },
  ),
  accessLog: bool({ group: 'Statistics and logs', help: 'Log one line for each request.' }),
  allowExplain: bool({
    group: 'Statistics and logs',
    help: 'Tell how engines were chosen, which names them: to requests with x-vllm-router-explain: 1, and at /debug/routing.',
  }),
  decisionLog: optionalText(
    {
      group: 'Statistics and logs',
      help: 'A file for one JSON line about each request: what was chosen and why, and how it went; no text of prompts.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  decisionLogSize: bytes(
    {
      group: 'Statistics and logs',
      help: 'The size at which the file of --decision-log is renamed to FILE.1 and a new one begins.',
    },
    {
      default: 100 * MIB,
      min: MIB,
      max: 1024 * 1024 * MIB,
      allowed: 'bytes or a size such as 100MiB, from 1MiB to 1024GiB',
    },
  ),
  otelEndpoint: optionalText(
    {
      group: 'Tracing',
      help: 'The collector that gets a trace of each request, by OTLP over gRPC; with a path or port 4318, by OTLP over HTTP.',
    },
    { allowed: 'host:port or a URL', valueName: 'address' },
  ),
  otelServiceName: text(
    { group: 'Tracing', help: 'The name of the service in traces.' },
    { default: 'vllm-router', allowed: 'a name', valueName: 'name' },
  ),
  otelSecure: bool({ group: 'Tracing', help: 'Speak TLS with the collector; a https URL asks for it too.' }),
  otelSampleRatio: number(
    {
      group: 'Tracing',
      help: 'The ratio of traces to record of requests that come without one. Those that bring a trace are recorded where it is.',
    },
    { default: 1, min: 0, max: 1 },
  ),
  dynamicConfigJson: optionalText(
    { group: 'Dynamic file', help: 'A JSON file of settings that is followed while the router runs.' },
    { allowed: 'a path', valueName: 'file' },
  ),
  dynamicConfigYaml: optionalText(
    { group: 'Dynamic file', help: 'The same, in YAML.' },
    { allowed: 'a path', valueName: 'file' },
  ),
  dynamicConfigInterval: seconds(
    {
      group: 'Dynamic file',
      help: 'How often the dynamic file is looked at, and the files of keys and certificates.',
    },
    { default: 10 },
  ),
};
