/**
 * Flags of production-stack's router that have no meaning here. They parse, so that existing manifests
 * start, and each is named once in a warning. A `switch` takes no value.
 */
export const LEGACY_FLAGS: ReadonlyMap<string, 'value' | 'switch'> = new Map([
  ['static-aliases', 'value'],
  ['static-model-types', 'value'],
  ['static-model-labels', 'value'],
  ['static-backend-health-checks', 'switch'],
  ['static-backend-health-check-interval', 'value'],
  ['static-backend-health-check-timeout-seconds', 'value'],
  ['prefix-min-match-length', 'value'],
  ['kv-aware-threshold', 'value'],
  ['lmcache-controller-port', 'value'],
  ['lmcache-controller-reply-port', 'value'],
  ['lmcache-controller-heartbeat-port', 'value'],
  ['lmcache-reply-port', 'value'],
  ['lmcache-heartbeat-port', 'value'],
  ['lmcache-health-check-interval', 'value'],
  ['lmcache-worker-timeout', 'value'],
  ['prefill-model-labels', 'value'],
  ['decode-model-labels', 'value'],
  ['max-instance-failover-reroute-attempts', 'value'],
  ['callbacks', 'value'],
  ['request-rewriter', 'value'],
  ['enable-batch-api', 'switch'],
  ['file-storage-class', 'value'],
  ['file-storage-path', 'value'],
  ['batch-processor', 'value'],
  ['feature-gates', 'value'],
  ['semantic-cache-model', 'value'],
  ['semantic-cache-dir', 'value'],
  ['semantic-cache-threshold', 'value'],
  ['sentry-dsn', 'value'],
  ['sentry-traces-sample-rate', 'value'],
  ['sentry-profile-session-sample-rate', 'value'],
  ['external-providers-config', 'value'],
]);

/** Those of them that production-stack's dynamic file may hold. */
export const LEGACY_DYNAMIC_KEYS: ReadonlySet<string> = new Set([
  'static_aliases',
  'static_model_types',
  'static_model_labels',
  'static_backend_health_checks',
  'static_backend_health_check_interval',
  'static_backend_health_check_timeout_seconds',
  'prefill_model_labels',
  'decode_model_labels',
  'callbacks',
]);

export const legacyWarning = (name: string): string => `${name} has no meaning in this router and is ignored`;
