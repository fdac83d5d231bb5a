// Loaded into a router by `node --expose-gc --import`: at SIGUSR2 it collects all garbage and writes a line of what is
// left to stderr, {"heap":bytes,"rss":bytes,"external":bytes,"sockets":n,"resources":n}. The router knows nothing of it.
import process from 'node:process';

process.on('SIGUSR2', () => {
  // What the first collection finalizes, the second frees.
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, rss, external } = process.memoryUsage();
    const resources = process.getActiveResourcesInfo();
    const sockets = resources.filter((name) => /TCPSocket/.test(name)).length;
    const told = { heap: heapUsed, rss, external, sockets, resources: resources.length };
    process.stderr.write(`@collected ${JSON.stringify(told)}\n`);
  });
});
