// What is measured of every peer, and how the load program does it.
import { chatBody, streamBody } from './bodies.mjs';

/**
 * A stage: `mode`, `amount` and `length` as load.c takes them, `seconds` that one window takes about, `rounds` of windows
 * in a whole and in a quick run (the first `warmUp` do not count), and the `most` connections of a slow peer.
 */
export const STAGES = {
  small: {
    title: '1 KB request, 540 B answer, 64 connections',
    mode: 'loop',
    body: chatBody(1024),
    ...{ amount: 64, length: 200, seconds: 0.25, rounds: 12, quick: 7, warmUp: 2, most: 16 },
  },
  large: {
    title: '32 KB request, 540 B answer, 64 connections',
    mode: 'loop',
    body: chatBody(32_768),
    ...{ amount: 64, length: 200, seconds: 0.25, rounds: 9, quick: 6, warmUp: 2, most: 16 },
  },
  paced: {
    title: '100 streams of 100 chunks at 10 ms',
    mode: 'paced',
    body: streamBody(1024, 100, 10),
    ...{ amount: 100, length: 1970, seconds: 1.25, rounds: 5, quick: 4, warmUp: 1, most: 10 },
  },
  burst: {
    title: 'streams of 128 chunks, back to back, 16 connections',
    mode: 'loop',
    body: streamBody(1024, 128, 0),
    ...{ amount: 16, length: 200, seconds: 0.25, rounds: 7, quick: 5, warmUp: 2, most: 4 },
  },
  latency: {
    title: '50 JSON requests a second, open loop',
    mode: 'rate',
    body: chatBody(1024),
    ...{ amount: 50, length: 1000, seconds: 1.05, rounds: 5, quick: 3, warmUp: 0 },
  },
  'first-token': {
    title: '50 streams a second, open loop',
    mode: 'rate',
    body: streamBody(1024, 5, 10),
    ...{ amount: 50, length: 1000, seconds: 1.1, rounds: 5, quick: 3, warmUp: 0 },
  },
};
