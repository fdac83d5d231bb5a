import { displayValue } from '../../src/config/setting-display.js';
import { mayForward } from '../../src/core/engine-paths.js';
import { engineUnreachable, errorBody, modelNotFound } from '../../src/core/errors.js';
import { answerHeaders, requestHeaders, type ClientSide } from '../../src/core/headers.js';
import { sanitiseRequestId } from '../../src/core/request-id.js';
import { TrustedPeers } from '../../src/proxy/trusted-peers.js';

// What SECURITY.md says is refused, as far as one function decides it.

describe('engine routes that change or reveal an engine', () => {
  const routes = [
    ...['/v1/load_lora_adapter', '/v1/unload_lora_adapter', '/sleep', '/wake_up', '/metrics', '/docs'],
    ...['/openapi.json', '/server_info', '/reset_prefix_cache', '/start_profile', '/collective_rpc'],
    ...[
      '/tokenizer_info',
      '/invocations',
      '/pause',
      '/abort_requests',
      '/update_weights',
      '/kv_event_sources',
    ],
  ];
  const disguises: readonly [string, (path: string) => string][] = [
    ['as they are', (path) => path],
    ['in capitals', (path) => path.toUpperCase()],
    ['percent-encoded', (path) => path.replace(/[a-z]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)],
    ['encoded twice', (path) => path.replace(/[a-z]/, (c) => `%25${c.charCodeAt(0).toString(16)}`)],
    ['with an encoded slash', (path) => `/x/..%2f${path.slice(1)}`],
    ['with double slashes', (path) => path.replaceAll('/', '//')],
    ['with backslashes', (path) => path.replaceAll('/', '/\\')],
    ['with dot segments', (path) => `/v1/x/../..${path}/.`],
    ['with a parameter and a slash at the end', (path) => `${path};a=b/`],
    ['with something behind them', (path) => `${path}/anything`],
  ];

  it.each(disguises)('are not forwarded %s', (_how, disguise) => {
    expect(routes.map(disguise).filter((path) => mayForward(path, []))).toEqual([]);
  });

  it('are not forwarded where a path cannot be read', () => {
    const odd = ['/%zz', '/%00sleep', '/sl\u0000eep', '/%2525252525252573leep', '/%ff'];
    expect(odd.filter((path) => mayForward(path, []))).toEqual([]);
  });

  it('are not reached from above the root, where an engine lives below a prefix', () => {
    const climbing = [
      '/../prefix/metrics',
      '/../admin',
      '/..%2fadmin',
      '/v1/%2e%2e/../x',
      '/x/../../y',
      '/..\\z',
    ];
    expect(climbing.filter((path) => mayForward(path, []))).toEqual([]);
  });

  it('are opened one by one', () => {
    expect(mayForward('/tokenizer_info', ['/tokenizer_info'])).toBe(true);
    expect(mayForward('/%74okenizer_info/', ['/tokenizer_info'])).toBe(true);
    expect(mayForward('/sleep', ['/tokenizer_info'])).toBe(false);
    expect(mayForward('/server_info/x', ['/server_info'])).toBe(false);
  });

  it('do not take others with them', () => {
    const open = [
      '/v1/chat/completions',
      '/v1/new_route',
      '/sleepy',
      '/tokenize',
      '/v1/models/docs',
      '/loads',
    ];
    expect(open.filter((path) => !mayForward(path, []))).toEqual([]);
  });
});

describe('headers', () => {
  const client: ClientSide = { requestId: 'id', address: '10.0.0.9', protocol: 'http', trusted: false };
  const named = (raw: readonly string[], name: string): string[] =>
    raw.filter((_text, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);

  it('of one hop do not go on, nor those that Connection names, in either direction', () => {
    const raw = ['Connection', 'keep-alive, X-Secret', 'X-Secret', '1', 'Keep-Alive', '5', 'TE', 'trailers'];
    raw.push(
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'Proxy-Authorization',
      'Basic x',
      'X-Kept',
      '2',
    );
    const sent = requestHeaders(raw, client);
    const answered = answerHeaders(raw, { requestId: 'id', eventStream: false, cors: null });
    for (const out of [sent, answered]) {
      const names = out.filter((_text, i) => i % 2 === 0).map((name) => name.toLowerCase());
      expect(names.filter((name) => !/^(x-kept|x-forwarded-.*|x-request-id)$/.test(name))).toEqual([]);
      expect(named(out, 'x-kept')).toEqual(['2']);
    }
  });

  it('that tell of a client are believed from trusted proxies alone', () => {
    const raw = [
      'Host',
      'router',
      'X-Forwarded-For',
      '1.1.1.1',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'a',
    ];
    const stranger = requestHeaders(raw, client);
    expect(named(stranger, 'x-forwarded-for')).toEqual(['10.0.0.9']);
    expect(named(stranger, 'x-forwarded-proto')).toEqual(['http']);
    expect(named(stranger, 'x-forwarded-host')).toEqual(['router']);
    const proxy = requestHeaders(raw, { ...client, trusted: true });
    expect(named(proxy, 'x-forwarded-for')).toEqual(['1.1.1.1, 10.0.0.9']);
    expect(named(proxy, 'x-forwarded-proto')).toEqual(['https']);
  });

  it('are trusted by address, mapped addresses too, and nobody is by default', () => {
    const peers = new TrustedPeers(['10.0.0.0/8', 'fd00::/8']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1'].map((one) => peers.has(one))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['11.0.0.1', '::1', 'unknown'].map((one) => peers.has(one))).toEqual([false, false, false]);
    expect(new TrustedPeers([]).has('127.0.0.1')).toBe(false);
  });
});

describe('text of a client', () => {
  it('in a request id can forge no header and no log line', () => {
    expect(sanitiseRequestId('a\r\nset-cookie: x')).toBe('aset-cookie:x');
    expect(sanitiseRequestId('\u001b[31m')).toBe('31m');
    expect(sanitiseRequestId('x'.repeat(1_000))).toHaveLength(128);
    expect(sanitiseRequestId('\u0000 ')).toBeNull();
  });

  it('comes back in an error as JSON, and not without end', () => {
    const error = modelNotFound(`"}\n${'m'.repeat(10_000)}`, []);
    const body = errorBody(error, 'chat', 'id');
    expect(() => JSON.parse(body) as unknown).not.toThrow();
    expect(body.length).toBeLessThan(1_000);
  });
});

describe('what is not told', () => {
  it('is the key of the engines', () => {
    expect(displayValue('vllmApiKey', 'sk-secret')).toBe('(hidden)');
  });

  it('is more of an error than the code puts into it', () => {
    expect(errorBody(engineUnreachable('attempt 1: refused'), 'chat', 'id')).not.toMatch(/https?:|stack|at /);
  });
});
