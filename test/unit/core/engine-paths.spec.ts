import * as fc from 'fast-check';
import { mayForward, pathReadings } from '../../../src/core/engine-paths.js';
import { anyText } from '../../support/any-text.js';

/** Every route that vLLM 0.32 has for operators and developers, and what tells of its inside. */
const FORBIDDEN = [
  '/tokenizer_info /health /ping /load /version /metrics /invocations /v1/load_lora_adapter /v1/unload_lora_adapter /adapters',
  '/start_profile /stop_profile /scale_elastic_ep /is_scaling_elastic_ep /fault_tolerance/apply /fault_tolerance/status',
  '/abort_requests /server_info /reset_prefix_cache /reset_mm_cache /reset_encoder_cache /sleep /wake_up /is_sleeping /pause',
  '/resume /is_paused /collective_rpc /init_weight_transfer_engine /start_weight_update /update_weights /finish_weight_update',
  '/update_weight_version /weight_info /get_world_size /kv_event_sources /docs /docs/oauth2-redirect /redoc /openapi.json',
].flatMap((line) => line.split(' '));

const FORWARDED = [
  '/v1/chat/completions',
  '/v1/chat/completions/render',
  '/v1/responses/resp_1/cancel',
  '/generative_scoring',
  '/inference/v1/generate',
  '/cohere/v2/chat',
  '/v1/chat/completions/',
  '/v1/future%20thing',
  '/sleepy',
  '/v1/sleep',
  '/healthz',
  '/v1/a;b=c/d',
  '/',
];

const percent = (text: string): string =>
  [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
const upper = (text: string): string => percent(text).toUpperCase();

/** Ways of writing one character that a server may undo. */
const written = (char: string): fc.Arbitrary<string> =>
  fc.constantFrom(char, percent(char), upper(char), percent(percent(char)), char.toUpperCase());
const disguised = (path: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...[...path.slice(1)].map((char) =>
        char === '/' ? fc.constantFrom('/', '//', '/./', '%2f', '\\', '/x/../') : written(char),
      ),
    )
    .map((chars) => `/${chars.join('')}`);

describe('a path to an engine', () => {
  it('is forwarded unless it changes or reveals the engine', () => {
    for (const path of FORWARDED) expect([path, mayForward(path, [])]).toEqual([path, true]);
    for (const path of FORBIDDEN) expect([path, mayForward(path, [])]).toEqual([path, false]);
  });

  it('that is forbidden stays so however it is written', () => {
    const before = fc.constantFrom('', '/', '/.', '/v1/..', '/v1/%2e%2e', '/%5c');
    const after = fc.constantFrom('', '/', '/.', ';a=b', '%20', '?x', '%3fx', '#x');
    const path = fc.constantFrom(...FORBIDDEN).chain(disguised);
    fc.assert(
      fc.property(before, path, after, (...parts) => {
        expect([parts.join(''), mayForward(parts.join(''), [])]).toEqual([parts.join(''), false]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('that is forbidden stays so although it seems to lead elsewhere', () => {
    for (const path of FORBIDDEN) {
      for (const after of [
        '/../y',
        '/%2e%2e/y',
        ';/../y',
        '#/../y',
        '%23/../y',
        '?/../y',
        '%3f/../y',
        '%253f/../y',
      ]) {
        expect([path + after, mayForward(path + after, [])]).toEqual([path + after, false]);
      }
    }
  });

  it('is not forwarded when it cannot be understood or leads out of the engine', () => {
    const odd = [
      '/%',
      '/%zz',
      '/%c0%af',
      '/%00',
      '/a%0d%0ab',
      '/a\u0001',
      '/..',
      '/../x',
      '/%2e%2e/x',
      '/a/../../x',
      '/..\\x',
      `/${'%25'.repeat(1)}${'25'.repeat(6)}41`,
    ];
    for (const path of odd) expect([path, mayForward(path, [])]).toEqual([path, false]);
  });

  it('is opened by the operator alone, one at a time', () => {
    expect(mayForward('/sleep', ['/sleep'])).toBe(true);
    expect(mayForward('/SLEEP/', ['/sleep'])).toBe(true);
    expect(mayForward('/sleep', ['/Sleep/'])).toBe(true);
    expect(mayForward('/wake_up', ['/sleep'])).toBe(false);
    expect(mayForward('/sleep/x', ['/sleep'])).toBe(false);
    expect(mayForward('/fault_tolerance/status', ['/fault_tolerance/status'])).toBe(true);
    expect(mayForward('/fault_tolerance/apply', ['/fault_tolerance/status'])).toBe(false);
    // It opens no way around to another one.
    expect(mayForward('/wake_up#/../sleep', ['/sleep'])).toBe(false);
  });

  it('has one reading when it is plain, and never throws', () => {
    expect(pathReadings('/v1/chat/completions')).toEqual(new Set(['/v1/chat/completions']));
    fc.assert(fc.property(anyText(), (text) => void mayForward(`/${text}`, [])));
    fc.assert(fc.property(fc.webPath(), (path) => void mayForward(path, [])));
  });
});
