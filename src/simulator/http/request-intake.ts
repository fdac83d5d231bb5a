import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveFault } from './active-fault.js';
import type { EngineConnections } from './engine-connections.js';
import type { EngineLedger } from './engine-ledger.js';
import { answerRequest, isProbe } from './engine-routes.js';
import type { EngineState } from './engine-state.js';
import { Exchange } from './exchange.js';
import { type Fault, isDead } from './fault.js';
import { answerByFault } from './fault-answers.js';
import { acceptRealtime } from './realtime-socket.js';
import { readBody } from './request-body.js';
import { seenRequest } from './seen-request.js';
import { hexId } from './wire-format-other.js';

/** Takes requests from connections: books them, lets faults have them, and hands the others to their routes. */
export class RequestIntake {
  mode: 'serving' | 'silent' | 'killed' = 'serving';

  constructor(
    private readonly state: EngineState,
    private readonly fault: ActiveFault,
    private readonly ledger: EngineLedger,
    private readonly connections: EngineConnections,
  ) {}

  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pathname = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const probe = isProbe(request.method ?? '', pathname);
    const { number, requests, hung } = this.connections.begin(request.socket);
    if (hung) return;
    const { mode } = this;
    if (mode === 'silent') response.shouldKeepAlive = false;
    const seen = seenRequest(request, number);
    this.ledger.begin(seen, probe);
    const over = (): void => {
      this.connections.rest(request.socket);
      if (this.mode === 'killed' && seen.finished === 'aborted') seen.finished = 'killed';
      this.ledger.end(seen, probe);
    };
    const given = request.headers['x-request-id'];
    const ownId = typeof given === 'string' ? given : hexId(16);
    const style = {
      requestId: this.state.requestIdHeaders ? ownId : null,
      flatErrors: this.state.flatErrors,
    };
    const fault = this.faultOf(request, pathname, probe);
    const exchange = new Exchange(request, response, seen, fault, over, style);
    if (fault?.staleSocket !== undefined && requests > 1) {
      return exchange.close(fault.staleSocket, 'faulted');
    }
    if (exchange.cut('request-head')) return;
    const body = await readBody(request, seen, fault?.echo === true);
    if (body === null || exchange.over) return;
    if (!probe) this.ledger.tell('request', seen);
    if (fault?.slowHead !== undefined) await exchange.delay(fault.slowHead);
    if (this.mode !== mode || exchange.over) return;
    if (answerByFault(exchange, body)) return;
    if (isDead(this.fault.current) && /^\/(health|ping)$/.test(pathname)) return exchange.send(503, [], '');
    answerRequest(exchange, this.state, body);
  }

  upgrade(request: IncomingMessage, socket: Socket): void {
    const how = this.fault.cutEarly('request-head') ?? this.fault.cutEarly('before-head');
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'fin') socket.destroy();
    else if (how === null) acceptRealtime(request, socket, this.state.firstName);
  }

  private faultOf(request: IncomingMessage, pathname: string, probe: boolean): Fault | null {
    try {
      return this.fault.forRequest(request.headers, pathname, probe);
    } catch (error) {
      return { status: 400, body: `x-sim-fault: ${String(error)}` };
    }
  }
}
