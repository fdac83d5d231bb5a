import type { IncomingMessage } from 'node:http';

const PRINCIPAL = Symbol('principal');
const ADMIN_PORT = Symbol('admin port');

type Marked = IncomingMessage & { [PRINCIPAL]?: string; [ADMIN_PORT]?: true };

/** The name of the key that a request came with, which is its tenant; null where no key is asked for. */
export const principalOf = (request: IncomingMessage): string | null =>
  (request as Marked)[PRINCIPAL] ?? null;

export function setPrincipal(request: IncomingMessage, name: string): void {
  (request as Marked)[PRINCIPAL] = name;
}

/** Whether a request came in by `--admin-port`. */
export const cameByAdminPort = (request: IncomingMessage): boolean =>
  (request as Marked)[ADMIN_PORT] === true;

export function markAdminPort(request: IncomingMessage): void {
  (request as Marked)[ADMIN_PORT] = true;
}
