import type { Access } from '../security/access-control.js';
import type { Operation } from './openapi.js';

/** What of a router its documentation depends on. */
export interface ApiFacts {
  readonly version: string;
  /** `--root-path`; empty without one. */
  readonly rootPath: string;
  /** The port that is asked: the only one, or one of two with `--admin-port`. */
  readonly port: 'only' | 'main' | 'admin';
  /** Clients need a key. */
  readonly asksForKeys: boolean;
  /** There is an `--admin-key`. */
  readonly hasAdminKey: boolean;
  /** `--session-key`, where the strategy in force reads it. */
  readonly sessionKey: string | null;
  /** `--ttft-target` is given. */
  readonly admits: boolean;
  /** `--allow-explain`. */
  readonly explains: boolean;
  /** The live page is on. */
  readonly hasPage: boolean;
}

/** A route of the router, as its documentation has it. */
export interface DocumentedRoute {
  readonly method: 'get' | 'post';
  /** From the slash on; parts in braces stand for values. */
  readonly path: string;
  /** Who may ask it; says on which port it is, and for which key it asks. */
  readonly access: Access;
  readonly operation: Omit<Operation, 'security'>;
}
