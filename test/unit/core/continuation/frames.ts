/** Frames as vLLM 0.32 writes them (recorded; shortened by fields that are null). */
export interface FrameOptions {
  readonly id?: string;
  readonly created?: number;
  readonly model?: string;
  readonly usage?: object;
}

const frame = (body: object): string => `data: ${JSON.stringify(body)}\n\n`;
const headOf = ({ id = 'chatcmpl-1', created = 1, model = 'tiny' }: FrameOptions) => ({
  id,
  object: 'chat.completion.chunk',
  created,
  model,
});

export const DONE = 'data: [DONE]\n\n';

export const chatRole = (options: FrameOptions = {}): string =>
  frame({
    ...headOf(options),
    choices: [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }],
    ...(options.usage && { usage: options.usage }),
    prompt_token_ids: null,
  });

export const chatText = (content: string, finish: string | null = null, options: FrameOptions = {}): string =>
  frame({
    ...headOf(options),
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: finish, token_ids: null }],
    ...(options.usage && { usage: options.usage }),
  });

export const completionText = (
  text: string,
  finish: string | null = null,
  options: FrameOptions = {},
): string =>
  frame({
    ...headOf({ id: 'cmpl-1', ...options }),
    object: 'text_completion',
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish, stop_reason: null, token_ids: null }],
    ...(options.usage && { usage: options.usage }),
  });

export const usageOf = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  total_tokens: prompt + completion,
  completion_tokens: completion,
});

export const usageFrame = (prompt: number, completion: number, options: FrameOptions = {}): string =>
  frame({ ...headOf(options), choices: [], usage: usageOf(prompt, completion) });

/** The JSON of each frame of a stream, `[DONE]` left as it is. */
export function parsed(stream: string): unknown[] {
  return stream
    .split('\n\n')
    .filter((text) => text !== '')
    .map((text) => {
      const data = text.replace(/^data: /, '');
      return data === '[DONE]' ? data : (JSON.parse(data) as unknown);
    });
}

interface Chunk {
  readonly choices: readonly { readonly delta?: { readonly content?: string }; readonly text?: string }[];
}

/** The text that a client puts together. */
export const textOf = (stream: string): string =>
  parsed(stream)
    .map((body) => {
      const choice = body === '[DONE]' ? undefined : (body as Chunk).choices[0];
      return choice?.delta?.content ?? choice?.text ?? '';
    })
    .join('');
