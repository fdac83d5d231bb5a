import { SettingsError } from './config/settings-error.js';

/** What an operator is told when nobody can listen there; other errors as they are. */
export function toldListenError(error: unknown, host: string, port: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new SettingsError([`--port ${port}: another process listens there already; give a free port`]);
  }
  if (code === 'EACCES')
    return new SettingsError([`--port ${port}: this user may not listen there; give a port above 1023`]);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new SettingsError([`--host ${host}: this machine has no such address (${message})`]);
  }
  return error;
}
