/** Where the API server is and who we are to it, at this moment. */
export interface ApiAccess {
  /** `https://host:port`, then perhaps a path under which the API lives (Rancher); no trailing slash. */
  readonly server: string;
  readonly tls: ApiTls;
  /** `authorization` and the like; they differ from request to request when a token is renewed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a TLS connection to the API server needs; an absent `ca` means the system's. */
export interface ApiTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** A source of access that outlives tokens and certificates. */
export interface ApiCredentials {
  /** Asked before every request. @throws {Error} in words for an operator */
  access(): Promise<ApiAccess>;
  /** The API server answered 401: whatever is cached is to be read anew. */
  rejected(): void;
  /** The namespace that the process itself runs in, null when it runs in none. */
  readonly ownNamespace: string | null;
}
