import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ask, jsonOf } from '../support/http-client.js';
import { readProjectFile, ROOT } from '../support/project-files.js';
import { startRouterProcess } from '../support/router-process.js';

/** A pair for 127.0.0.1 that signs itself, made for these tests; valid for a hundred years. */
const CERTIFICATE = 'test/fixtures/tls/cert.pem';
const KEY = 'test/fixtures/tls/key.pem';

describe('an engine behind TLS', () => {
  it.each(['http1', 'undici'])('is reached with --upstream-client %s', async (client) => {
    const server = createServer(
      { cert: readProjectFile(CERTIFICATE), key: readProjectFile(KEY) },
      (request, response) => {
        void text(request).then((body) => {
          const { headers, url } = request;
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ url, host: headers.host, body }));
        });
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const router = await startRouterProcess(
      [{ url: `https://127.0.0.1:${port}/prefix`, models: ['m'] }],
      ['--upstream-client', client],
      { NODE_EXTRA_CA_CERTS: join(ROOT, CERTIFICATE) },
    );
    try {
      const body = '{ "model":"m", "seed": 12345678901234567890 }';
      const answer = await ask(`${router.url}/v1/completions`, { body });
      expect(answer.status).toBe(200);
      expect(jsonOf(answer)).toEqual({ url: '/prefix/v1/completions', host: `127.0.0.1:${port}`, body });
    } finally {
      await router.kill();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });
});
