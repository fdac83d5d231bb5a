import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rawExchange } from '../../support/http-client.js';

/** What a client gets from a server that answers with `answer`. */
async function answered(request: string, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await rawExchange(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, request);
  } finally {
    server.close();
  }
}

const GET = (version: string): string => `GET / HTTP/${version}\r\nhost: x\r\nconnection: close\r\n\r\n`;

/** What `ClientAnswer` relies on and Node's documentation does not say. */
describe("the chunk framing of Node's answers", () => {
  it('is told by chunkedEncoding once the head is written', async () => {
    const seen: boolean[] = [];
    const head = (headers: string[]) => (response: ServerResponse) => {
      response.writeHead(200, headers);
      seen.push(response.chunkedEncoding);
      response.end();
    };
    await answered(GET('1.1'), head([]));
    await answered(GET('1.1'), head(['content-length', '0']));
    await answered(GET('1.0'), head([]));
    await answered(GET('1.1').replace('GET', 'HEAD'), head([]));
    expect(seen).toEqual([true, false, false, false]);
  });

  it('can be written by somebody else once chunkedEncoding is false', async () => {
    const text = await answered(GET('1.1'), (response) => {
      response.writeHead(200, ['a', 'b']);
      response.chunkedEncoding = false;
      response.write(Buffer.from('2\r\nab\r\n3\r\ncde\r\n'));
      response.end(Buffer.from('0\r\n\r\n'));
    });
    expect(text).toContain('Transfer-Encoding: chunked\r\n');
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n');
  });
});
