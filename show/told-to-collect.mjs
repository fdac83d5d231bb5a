// Loaded into a router by `node --expose-gc --import`: at SIGUSR2 it collects all garbage and writes a line of what is
// left to stderr, {"heap":bytes,"code":bytes,"rss":bytes,"external":bytes,"sockets":n,"resources":n}; `code` is the part of
// the heap that is machine code and bytecode. The router knows nothing of it.
import process from 'node:process';
import { getHeapCodeStatistics } from 'node:v8';

process.on('SIGUSR2', () => {
  // What the first collection finalizes, the second frees.
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, rss, external } = process.memoryUsage();
    const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytes } = getHeapCodeStatistics();
    const code = machine + bytes;
    const resources = process.getActiveResourcesInfo();
    const sockets = resources.filter((name) => /TCPSocket/.test(name)).length;
    const told = { heap: heapUsed, code, rss, external, sockets, resources: resources.length };
    process.stderr.write(`@collected ${JSON.stringify(told)}\n`);
  });
});
