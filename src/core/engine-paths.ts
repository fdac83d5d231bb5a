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

/**
 * Percent-decodes until nothing changes, folds repeated slashes and backslashes, resolves dot segments,
 * drops a path parameter (`;x`) and a trailing slash, and lowers the case: what the most lenient server
 * behind us could make of the path. Null when it cannot be decoded or hides a control character.
 */
export function normalisePath(path: string): string | null {
  let decoded = path;
  for (let round = 0; decoded.includes('%'); round++) {
    // Encodings nested deeper than this have no honest use.
    if (round === 4) return null;
    let next: string;
    try {
      next = decodeURIComponent(decoded);
    } catch {
      return null;
    }
    if (next === decoded) break;
    decoded = next;
  }
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(decoded)) return null;
  const segments: string[] = [];
  for (const raw of decoded.replaceAll('\\', '/').split('/')) {
    const segment = raw.split(/[;?#]/, 1)[0]!.trim();
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  return `/${segments.join('/')}`.toLowerCase();
}

/** Tells whether a client's path may be forwarded to an engine (design promise 13). */
export function mayForward(path: string, allowed: readonly string[]): boolean {
  const normal = normalisePath(path);
  if (normal === null) return false;
  const hit = FORBIDDEN.find((route) => normal === route || normal.startsWith(`${route}/`));
  if (hit === undefined) return true;
  return allowed.some((route) => normalisePath(route) === normal);
}
