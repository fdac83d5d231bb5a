import type { Socket } from 'node:net';

const CLOSING = Symbol('closing');

type Marked = Socket & { [CLOSING]?: true };

/** The connection is closed behind an answer: what has come on it already is not served (RFC 9112 section 9.6). */
export function markClosing(socket: Socket): void {
  (socket as Marked)[CLOSING] = true;
}

/** Whether a request came behind one with which its connection ends. Node hands over all that one read has brought. */
export const isClosing = (socket: Socket): boolean => (socket as Marked)[CLOSING] === true;
