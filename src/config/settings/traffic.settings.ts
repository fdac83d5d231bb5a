import { choice, optionalSeconds, seconds } from '../setting-kinds.js';

/** How long each step of a request may take, and what becomes of answers that break off. */
export const TRAFFIC_SETTINGS = {
  clientHeaderTimeout: seconds(
    { group: 'Timeouts', help: 'How long a client may take to send its request headers.' },
    { default: 30 },
  ),
  clientBodyTimeout: seconds(
    {
      group: 'Timeouts',
      help: 'How long a client may take to send its body; longer while it keeps coming at 8 KiB/s.',
    },
    { default: 120 },
  ),
  connectTimeout: seconds(
    { group: 'Timeouts', help: 'How long connecting to an engine may take.' },
    { default: 5 },
  ),
  firstByteTimeout: optionalSeconds({
    group: 'Timeouts',
    help: 'How long an engine may take to its first output. Left out: 300 for streams, no limit of its own for others.',
  }),
  idleTimeout: seconds(
    { group: 'Timeouts', help: 'How long an engine may be silent between two parts of an answer.' },
    { default: 120 },
  ),
  stallTimeout: seconds(
    {
      group: 'Timeouts',
      help: 'How long an engine with requests may make no progress on any of them before it is ejected and those that have no answer yet go elsewhere; 0 never does.',
    },
    { default: 20, min: 0 },
  ),
  totalTimeout: seconds(
    { group: 'Timeouts', help: 'How long a request may take in all.' },
    { default: 3600 },
  ),
  streamFailover: choice(
    {
      group: 'Routing',
      help:
        'What becomes of a stream whose engine breaks off after its first output: error (it ends in an error event), or ' +
        'continue (chats and completions of one plain text go on at another engine from the text already sent).',
    },
    { values: ['error', 'continue'], default: 'error', synonyms: { off: 'error' } },
  ),
};
