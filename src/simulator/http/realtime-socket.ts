import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { hexId } from './wire-format-other.js';

/** RFC 6455 section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Frames above this end the connection; the simulated engine needs no large ones. */
const MAX_FRAME_BYTES = 1024 * 1024;

const OP_CLOSE = 8;
const OP_PING = 9;
const OP_PONG = 10;

/**
 * `GET /v1/realtime`: accepts the WebSocket, sends `session.created`, and returns each message to its
 * sender. Enough to see whether a router carries a WebSocket, no more.
 */
export function acceptRealtime(request: IncomingMessage, socket: Socket, model: string): void {
  const key = request.headers['sec-websocket-key'];
  if (!/^\/v1\/realtime(\?|$)/.test(request.url ?? '') || key === undefined) {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    return;
  }
  const accept = createHash('sha1')
    .update(key + HANDSHAKE_GUID)
    .digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(
    frameOf(1, Buffer.from(JSON.stringify({ type: 'session.created', id: `sess-${hexId(16)}`, model }))),
  );
  let pending = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    pending = Buffer.concat([pending, data]);
    for (let frame = readFrame(pending); frame !== null; frame = readFrame(pending)) {
      pending = pending.subarray(frame.size);
      if (frame.size > MAX_FRAME_BYTES) socket.destroy();
      else if (frame.opcode === OP_CLOSE) socket.end(frameOf(OP_CLOSE, frame.payload));
      else if (frame.opcode !== OP_PONG) {
        socket.write(frameOf(frame.opcode === OP_PING ? OP_PONG : frame.opcode, frame.payload));
      }
    }
    if (pending.length > MAX_FRAME_BYTES) socket.destroy();
  });
  socket.on('end', () => socket.end());
}

/** A final, unmasked frame. */
function frameOf(opcode: number, payload: Buffer): Buffer {
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
  const head = Buffer.alloc(payload.length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = payload.length < 65_536 ? 126 : 127;
  if (payload.length < 65_536) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** The first frame of `bytes`, or null when it is not complete yet. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | null {
  if (bytes.length < 2) return null;
  const opcode = bytes.readUInt8(0) & 15;
  const masked = (bytes.readUInt8(1) & 128) !== 0;
  const short = bytes.readUInt8(1) & 127;
  const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthSize + (masked ? 4 : 0);
  if (bytes.length < start) return null;
  const long = lengthSize === 8 ? Number(bytes.readBigUInt64BE(2)) : bytes.length;
  const length = lengthSize === 0 ? short : lengthSize === 2 ? bytes.readUInt16BE(2) : long;
  if (bytes.length < start + length) return null;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) {
    for (let index = 0; index < length; index += 1) {
      payload[index] = (payload[index] ?? 0) ^ (bytes[start - 4 + (index % 4)] ?? 0);
    }
  }
  return { opcode, payload, size: start + length };
}
