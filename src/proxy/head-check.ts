import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { badFraming, type RouterError } from '../core/errors.js';
import { framingFault } from '../core/headers.js';
import { type Access, AccessControl } from '../security/access-control.js';

/** What a request is refused with by its head, before anything of its body is read. */
@Injectable()
export class HeadCheck {
  constructor(private readonly access: AccessControl) {}

  /**
   * Null: it may go on.
   * @param access of its route; null for a route of the application around the router
   */
  refusal(request: IncomingMessage, access: Access | null): RouterError | null {
    if (access !== null) {
      const fault = framingFault(request.rawHeaders, request.httpVersion);
      if (fault !== null) return badFraming(fault);
    }
    return this.access.refusal(request, access);
  }
}
