// The cheapest reader of many streams: raw sockets, one buffer for all of them, nothing parsed. Counts the bytes and the
// HTTP chunks that begin with an event, and resolves when every stream has ended.
import { connect } from 'node:net';

const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const EVENT = Buffer.from('data: {');

/** Events in these bytes; one that is cut in two by a read is missed, which can only lower the count. */
function eventsIn(bytes) {
  let count = 0;
  for (let at = bytes.indexOf(EVENT); at >= 0; at = bytes.indexOf(EVENT, at + EVENT.length)) count += 1;
  return count;
}

/**
 * Sends `streams` times the same request, each on a connection of its own.
 * @param {{ host: string, port: number, path: string, body: string, streams: number }} load
 * @returns {Promise<{ events: number, bytes: number }>}
 */
export async function readStreams({ host, port, path, body, streams }) {
  const head =
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nconnection: close\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const total = { events: 0, bytes: 0 };
  const one = () =>
    new Promise((resolve, reject) => {
      const onread = {
        buffer: READ_BUFFER,
        callback: (length, buffer) => {
          total.bytes += length;
          total.events += eventsIn(buffer.subarray(0, length));
          return true;
        },
      };
      const socket = connect({ host, port, onread, noDelay: true }, () => socket.write(head + body));
      socket.on('error', reject);
      socket.on('close', resolve);
      socket.resume();
    });
  await Promise.all(Array.from({ length: streams }, one));
  return total;
}
