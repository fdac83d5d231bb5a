/**
 * Engine routes that change an engine or reveal it (vLLM's operator, development and documentation
 * routes). They are never forwarded for a client; `--allow-engine-path` opens single ones.
 */
const FORBIDDEN: readonly string[] = [
  '/tokenizer_info',
  '/health',
  '/ping',
  '/load',
  '/version',
  '/metrics',
  '/invocations',
  '/v1/load_lora_adapter',
  '/v1/unload_lora_adapter',
  '/adapters',
  '/start_profile',
  '/stop_profile',
  '/scale_elastic_ep',
  '/is_scaling_elastic_ep',
  '/fault_tolerance',
  '/abort_requests',
  '/server_info',
  '/reset_prefix_cache',
  '/reset_mm_cache',
  '/reset_encoder_cache',
  '/sleep',
  '/wake_up',
  '/is_sleeping',
  '/pause',
  '/resume',
  '/is_paused',
  '/collective_rpc',
  '/init_weight_transfer_engine',
  '/start_weight_update',
  '/update_weights',
  '/finish_weight_update',
  '/update_weight_version',
  '/weight_info',
  '/get_world_size',
  '/kv_event_sources',
  '/docs',
  '/redoc',
  '/openapi.json',
];

/** Encodings nested deeper than this have no honest use. */
const MAX_DECODINGS = 4;
/** A control character that is not of the second set (C1): U+0000 to U+001F, and U+007F. */
const ASCII_CONTROL = /[^\P{Cc}\u0080-\u009f]/u;
// Paths of letters, digits and single slashes mean the same to every server.
const PLAIN = /^(?:\/[a-z0-9_][a-z0-9_.-]*)+$/;

/** The path as it came and after each percent-decoding; null when it cannot be decoded. */
function decodings(path: string): string[] | null {
  const texts = [path];
  for (let text = path; text.includes('%');) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return null;
    }
    if (text === texts.at(-1)) break;
    if (texts.push(text) > MAX_DECODINGS + 1) return null;
  }
  return texts;
}

/** Lower-case segments without parameters (`;x`), empty ones and `.`; with `..` resolved or left. Null above the root. */
function segmentsOf(path: string, resolve: boolean): string | null {
  const segments: string[] = [];
  for (const raw of path.split(/[/\\]/)) {
    const segment = raw.split(';', 1)[0]!.trim();
    if (segment === '' || segment === '.') continue;
    if (segment !== '..' || !resolve) segments.push(segment);
    else if (segments.pop() === undefined) return null;
  }
  return `/${segments.join('/')}`.toLowerCase();
}

/**
 * Every path that a lenient server behind us could make of `path`: percent-decoded once, twice or not at
 * all, cut at a `?` or `#` that was hidden in it, slashes folded, backslashes turned, dot segments
 * resolved or not, parameters and a trailing slash dropped, in lower case. Null when it cannot be decoded,
 * leads above the root or hides a control character.
 */
export function pathReadings(path: string): ReadonlySet<string> | null {
  if (PLAIN.test(path)) return new Set([path]);
  const texts = decodings(path);
  if (texts === null || ASCII_CONTROL.test(texts.at(-1)!)) return null;
  const readings = new Set<string>();
  for (const text of texts) {
    for (const cut of [text, text.split(/[?#]/, 1)[0]!]) {
      const resolved = segmentsOf(cut, true);
      if (resolved === null) return null;
      readings.add(resolved).add(segmentsOf(cut, false)!);
    }
  }
  return readings;
}

/** Tells whether a client's path may be forwarded to an engine. */
export function mayForward(path: string, allowed: readonly string[]): boolean {
  const readings = pathReadings(path);
  if (readings === null) return false;
  return [...readings].every(
    (reading) =>
      !FORBIDDEN.some((route) => reading === route || reading.startsWith(`${route}/`)) ||
      allowed.some((route) => pathReadings(route)?.has(reading)),
  );
}
