import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** The most that a settings file may hold, in bytes: as much as a ConfigMap can. */
export const SETTINGS_FILE_BYTES = 1024 * 1024;

// A named pipe would hold the opening until someone writes to it.
const WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK;

const tooLarge = (): Error => new Error(`it is larger than ${SETTINGS_FILE_BYTES} bytes`);
const notAFile = (): Error => new Error('it is not a regular file');

/**
 * Reads a settings file as UTF-8, following symbolic links.
 * @throws {Error} when it is missing, unreadable, no regular file, or over 1 MiB
 */
export function readTextFileSync(path: string): string {
  const fd = openSync(path, WITHOUT_WAITING);
  try {
    if (!fstatSync(fd).isFile()) throw notAFile();
    const buffer = Buffer.allocUnsafe(SETTINGS_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, null);
    }
    if (length > SETTINGS_FILE_BYTES) throw tooLarge();
    return textOf(buffer.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

/** The same without blocking. */
export async function readTextFile(path: string): Promise<string> {
  const file = await open(path, WITHOUT_WAITING);
  try {
    if (!(await file.stat()).isFile()) throw notAFile();
    const buffer = Buffer.allocUnsafe(SETTINGS_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await file.read(buffer, length, buffer.length - length, null)).bytesRead;
    }
    if (length > SETTINGS_FILE_BYTES) throw tooLarge();
    return textOf(buffer.subarray(0, length));
  } finally {
    await file.close();
  }
}

const textOf = (bytes: Buffer): string => bytes.toString('utf8').replace(/^\uFEFF/, '');
