import { Client, type Dispatcher } from 'undici';
import {
  type AnswerHandler,
  UpstreamClient,
  type UpstreamExchange,
  type UpstreamRequest,
} from '../../src/upstream/upstream-client.js';

/** undici behind the router's contract, as plainly as possible: what the own client is compared with. */
export class UndiciReference extends UpstreamClient {
  readonly #client: Client;

  constructor(origin: string) {
    super();
    this.#client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 4_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 64 * 1024,
      allowH2: false,
    });
  }

  override send(request: UpstreamRequest, handler: AnswerHandler): UpstreamExchange {
    let controller: Dispatcher.DispatchController | undefined;
    this.#client.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: [...request.headers],
        body: request.body.length > 0 ? Buffer.concat(request.body) : null,
      },
      {
        onRequestStart: (given) => (controller = given),
        onResponseStart: (given, status, _headers, statusText) => {
          if (status < 200) return;
          const raw = (given.rawHeaders as Buffer[]).map((part) => part.toString('latin1'));
          handler.head(status, statusText ?? '', raw);
        },
        onResponseData: (_given, bytes) => handler.body({ bytes, endsInBlankLine: false, framed: null }),
        onResponseEnd: () => handler.ended(),
        onResponseError: (_given, error) => handler.failed(error, false),
      },
    );
    return {
      connected: true,
      pause: () => controller?.pause(),
      resume: () => controller?.resume(),
      close: () => controller?.abort(new Error('over')),
    };
  }

  override close(): void {
    void this.#client.destroy();
  }
}
