import { availableParallelism } from 'node:os';
import { filePath, ipRange, requestPath, webOrigin } from '../list-items.js';
import { list } from '../list-kinds.js';
import { bool, bytes, int, intOrAuto, optionalText, seconds, text } from '../setting-kinds.js';

const MIB = 1024 ** 2;
/** The most processes on one port. */
const MOST_WORKERS = 64;

/** The router's own HTTP server, its limits, and where else settings come from. */
export const SERVER_SETTINGS = {
  host: text(
    { group: 'Server', help: 'The address to listen on.' },
    {
      default: '0.0.0.0',
      allowed: 'an address or host name',
      valueName: 'address',
      pattern: /^[^\s\p{Cc}]+$/u,
    },
  ),
  port: int(
    { group: 'Server', help: 'The port to listen on; 0 takes a free one.' },
    { default: 8001, min: 0, max: 65_535, valueName: 'port' },
  ),
  workers: intOrAuto(
    {
      group: 'Server',
      help: 'Processes that serve the port together, for more than one core; auto takes one for each core that this process may use.',
    },
    { default: 1, min: 1, max: MOST_WORKERS, auto: availableParallelism },
  ),
  rootPath: text(
    {
      group: 'Server',
      help: 'The path prefix under which a proxy in front publishes the router, such as /llm.',
    },
    { default: '', allowed: 'a path such as /llm', valueName: 'path', pattern: /^(\/[\w.~-]+)*\/?$/ },
  ),
  trustedProxies: list(
    { group: 'Server', help: 'Proxies whose X-Forwarded-* headers are believed.' },
    {
      item: ipRange,
      allowed: 'IP addresses or CIDR blocks separated by commas',
      valueName: 'addresses',
      repeatable: true,
    },
  ),
  allowedOrigins: list(
    { group: 'Server', help: 'Web origins that may call the router from a browser (CORS); * means any.' },
    {
      item: webOrigin,
      allowed: 'origins such as https://app.example.com separated by commas',
      valueName: 'origins',
      repeatable: true,
    },
  ),
  allowEnginePath: list(
    {
      group: 'Server',
      help: 'Engine paths to forward although they change or reveal an engine, such as /tokenizer_info.',
    },
    { item: requestPath, allowed: 'paths separated by commas', valueName: 'paths', repeatable: true },
  ),
  exposeEngineUrls: bool({ group: 'Server', help: 'Name engine URLs in the errors that clients see.' }),
  readyNeedsEngine: bool({ group: 'Server', help: '/ready answers 503 while no engine is usable.' }),
  shutdownDelay: seconds(
    {
      group: 'Server',
      help: 'After SIGTERM: how long requests are still taken while load balancers notice.',
    },
    { default: 5, min: 0, max: 3600 },
  ),
  shutdownTimeout: seconds(
    { group: 'Server', help: 'After that delay: how long requests in flight may take to end.' },
    { default: 20, min: 0, max: 86_400 },
  ),

  maxBodySize: bytes(
    { group: 'Limits', help: 'The largest request body.' },
    { default: 128 * MIB, min: 1, max: 2048 * MIB, allowed: 'bytes or a size such as 128MiB, at most 2GiB' },
  ),
  maxBodyMemory: bytes(
    {
      group: 'Limits',
      help: 'The most memory for all request bodies held at once; beyond it the answer is 503.',
    },
    {
      default: 512 * MIB,
      min: 1,
      max: 1024 * 1024 * MIB,
      allowed: 'bytes or a size such as 512MiB, at most 1024GiB',
    },
  ),
  maxConcurrentRequests: int(
    {
      group: 'Limits',
      help: 'The most requests under way at once, held ones included; beyond it the answer is 503. 0 sets no limit.',
    },
    { default: 0, min: 0, max: 1_000_000 },
  ),
  maxConnections: int(
    {
      group: 'Limits',
      help:
        'The most connections of clients at once; 32 more are let in for /health, /ready, /version and /metrics alone, and ' +
        'further ones are closed. 0 sets no limit.',
    },
    { default: 0, min: 0, max: 1_000_000 },
  ),
  maxHeldRequests: int(
    {
      group: 'Limits',
      help: 'With --ttft-target: the most requests that each process holds for one model.',
    },
    { default: 1_000, min: 0, max: 10_000 },
  ),
  maxHeaderSize: bytes(
    { group: 'Limits', help: 'The largest set of request headers.' },
    {
      default: 32 * 1024,
      min: 1024,
      max: 16 * MIB,
      allowed: 'bytes or a size such as 32KiB, from 1KiB to 16MiB',
    },
  ),

  config: optionalText(
    {
      group: 'Config file and plugins',
      help: 'A JSON or YAML file of settings, by the names of these flags.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  plugin: list(
    {
      group: 'Config file and plugins',
      help: 'A module that brings strategies, discoveries or default settings; may be given several times.',
    },
    { item: filePath, allowed: 'paths separated by commas', valueName: 'file', repeatable: true },
  ),
};
