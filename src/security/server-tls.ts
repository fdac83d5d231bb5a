import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Settings } from '../config/settings.schema.js';

type TlsFiles = Pick<Settings, 'sslCertfile' | 'sslKeyfile' | 'sslCaCerts'>;

/** The files by which `--port` speaks TLS, in the order in which `tlsOf` takes their texts; null: it does not. */
export function tlsFiles(
  settings: TlsFiles,
): { readonly flags: string; readonly paths: readonly string[] } | null {
  const { sslCertfile, sslKeyfile, sslCaCerts } = settings;
  if (sslCertfile === null || sslKeyfile === null) return null;
  const flags = '--ssl-certfile, --ssl-keyfile';
  return sslCaCerts === null
    ? { flags, paths: [sslCertfile, sslKeyfile] }
    : { flags: `${flags}, --ssl-ca-certs`, paths: [sslCertfile, sslKeyfile, sslCaCerts] };
}

/**
 * What the server's TLS is made with. Old versions of TLS are refused whatever Node's own flags say (RFC 8996).
 * @throws {Error} when the texts are no PEM, or certificate and key do not belong together
 */
export function tlsOf([cert = '', key = '', ca]: readonly string[]): SecureContextOptions {
  if (ca !== undefined && !/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(ca)) {
    throw new Error('the file of authorities holds no certificate');
  }
  const options = { cert, key, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } as const;
  createSecureContext(options);
  return options;
}
