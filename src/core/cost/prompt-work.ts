import type { PromptBlocks } from '../prompt-blocks.js';
import type { RequestFacts } from '../request-facts.js';
import type { TokenHabits } from './token-habits.js';

/**
 * Routes of vLLM that render or count a prompt and compute nothing of it: none of it is in a cache afterwards. And the
 * WebSocket, of which nothing is known between its begin and its end, hours later: what it brings cannot be pending so long.
 */
const COMPUTE_NOTHING: ReadonlySet<string> = new Set([
  '/tokenize',
  '/detokenize',
  '/v1/messages/count_tokens',
  '/v1/chat/completions/render',
  '/v1/completions/render',
  '/v1/realtime',
]);

/** What an engine has to compute before it answers. */
export interface PromptWork {
  /** Null where the prompt cannot be read, or nothing of it is computed. */
  readonly blocks: PromptBlocks | null;
  /** Length of the prompt in tokens: a usual one where it cannot be read, 0 where nothing is computed. */
  readonly tokens: number;
}

const NOTHING: PromptWork = Object.freeze({ blocks: null, tokens: 0 });

export function promptWork(request: RequestFacts, habits: TokenHabits): PromptWork {
  if (!isComputed(request.path)) return NOTHING;
  const blocks = request.prompt?.blocks() ?? null;
  return { blocks, tokens: blocks ? habits.tokensIn(blocks.size, blocks.unit) : habits.promptTokens };
}

/** Whether an engine has the prompt of a request to this path in its cache once it has answered. */
export const isComputed = (path: string): boolean => !COMPUTE_NOTHING.has(path);
