// What the figures were measured on.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import process from 'node:process';

function distribution() {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

const isVirtual = () => {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8').includes('hypervisor');
  } catch {
    return false;
  }
};

/** Processor, cores, memory, system and Node in one record of words. */
export function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: `${cpus().length}${isVirtual() ? ', virtual' : ''}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: [distribution(), `${type()} ${release()}`].filter(Boolean).join(', '),
    node: process.versions.node,
  };
}
