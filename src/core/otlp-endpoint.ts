/** Where traces go, and how they are sent there. */
export interface OtlpEndpoint {
  readonly protocol: 'grpc' | 'http';
  /** With its port, and for `http` with its path; `https` where TLS is spoken. */
  readonly url: string;
}

const GRPC_PORT = '4317';
/** Where collectors take OTLP over HTTP, by the OTLP specification 1.9 and, for 80, since gRPC has no business there. */
const HTTP_PORTS: ReadonlySet<string> = new Set(['4318', '80']);
const HTTP_PATH = '/v1/traces';
/** Scheme, host, port, path (RFC 3986 section 3), without user, query and fragment. */
const ADDRESS = /^(?:(https?):\/\/)?(\[[\da-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d+))?(\/[^\s?#]*)?$/i;

/**
 * Reads the address of a collector: `host`, `host:port` or a URL. A path, or a port of OTLP over HTTP, asks for HTTP;
 * everything else is gRPC.
 * @param secure speak TLS whatever the scheme says
 * @returns null for what is no such address
 */
export function otlpEndpoint(text: string, secure: boolean): OtlpEndpoint | null {
  const parts = ADDRESS.exec(text);
  if (parts === null) return null;
  // The port is read here, since a URL leaves that of its scheme out of what it says of itself.
  const [, scheme, host, port, path = '/'] = parts;
  const isHttp = path !== '/' || (port !== undefined && HTTP_PORTS.has(port));
  const tls = secure || scheme?.toLowerCase() === 'https';
  let url: URL;
  try {
    url = new URL(`${tls ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}`);
  } catch {
    return null;
  }
  if (isHttp) return { protocol: 'http', url: `${url.origin}${path === '/' ? HTTP_PATH : path}` };
  return { protocol: 'grpc', url: `${url.protocol}//${url.hostname}:${port ?? GRPC_PORT}` };
}
