import { whyNotContinuable } from '../../../../src/core/continuation/continuable-request.js';

const chat = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] };
const completion = { model: 'm', stream: true, prompt: 'hello' };

describe('whyNotContinuable', () => {
  it.each<[object]>([
    [{}],
    [
      {
        tools: [],
        tool_choice: 'none',
        functions: null,
        n: 1,
        best_of: null,
        logprobs: false,
        top_logprobs: 0,
      },
    ],
    [{ response_format: { type: 'text' }, guided_json: null, structured_outputs: null, echo: false }],
    [{ max_tokens: 5, max_completion_tokens: 7, min_tokens: 0, seed: -3, stop: 'x', ignore_eos: true }],
    [{ stop: ['a', 'b'], stop_token_ids: [1], temperature: 0.5, presence_penalty: 1, cache_salt: 's' }],
    [{ modalities: ['text'], chat_template_kwargs: { enable_thinking: false }, stream_interval: 1 }],
    [{ stream_interval: 4, stream_options: { include_usage: true, continuous_usage_stats: true } }],
  ])('finds nothing against %j', (fields) => {
    expect(whyNotContinuable({ ...chat, ...fields }, 'chat')).toBeNull();
  });

  it.each<[string, object]>([
    ['tools', { tools: [{ type: 'function' }] }],
    ['tool_choice', { tool_choice: 'auto' }],
    ['functions', { functions: [{}] }],
    ['function_call', { function_call: 'auto' }],
    ['n', { n: 2 }],
    ['best_of', { best_of: 2 }],
    ['logprobs', { logprobs: true }],
    ['logprobs', { top_logprobs: 2 }],
    ['prompt_logprobs', { prompt_logprobs: 0 }],
    ['logprob_token_ids', { logprob_token_ids: [3] }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['response_format', { response_format: 'text' }],
    ['structured_outputs', { structured_outputs: { regex: 'a' } }],
    ['structured_outputs', { guided_regex: 'a' }],
    ['audio', { audio: { voice: 'x' } }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['echo', { echo: true }],
    ['use_beam_search', { use_beam_search: true }],
    ['truncate_prompt_tokens', { truncate_prompt_tokens: -1 }],
    ['return_token_ids', { return_token_ids: true }],
    ['return_prompt_text', { return_prompt_text: true }],
    ['return_tokens_as_token_ids', { return_tokens_as_token_ids: true }],
    ['thinking_token_budget', { thinking_token_budget: 9 }],
    ['include_reasoning', { include_reasoning: false }],
    ['skip_special_tokens', { skip_special_tokens: false }],
    ['kv_transfer_params', { kv_transfer_params: {} }],
    ['ec_transfer_params', { ec_transfer_params: {} }],
    ['stream_interval', { stream_interval: 4, stream_options: { include_usage: true } }],
    ['max_tokens', { max_tokens: '5' }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['seed', { seed: 2 ** 60 }],
    ['stop', { stop: [1] }],
    ['stop', { stop: { a: 1 } }],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hello' }],
    ['add_generation_prompt', { add_generation_prompt: false }],
    ['chat_template_kwargs', { chat_template_kwargs: { continue_final_message: true } }],
    ['chat_template_kwargs', { chat_template_kwargs: 'x' }],
    ['continue_final_message', { continue_final_message: true, add_generation_prompt: false }],
  ])('names %s for %j', (reason, fields) => {
    expect(whyNotContinuable({ ...chat, ...fields }, 'chat')).toBe(reason);
  });

  it('lets a message go on that the client has begun, if it is text', () => {
    const open = (content: unknown) => ({
      ...chat,
      continue_final_message: true,
      add_generation_prompt: false,
      messages: [...chat.messages, { role: 'assistant', content }],
    });
    expect(whyNotContinuable(open('Well'), 'chat')).toBeNull();
    expect(whyNotContinuable(open([{ type: 'text', text: 'Well' }]), 'chat')).toBe('continue_final_message');
  });

  it.each<[string, object]>([
    ['prompt', { prompt: [1, 2] }],
    ['prompt', { prompt: ['hello'] }],
    ['prompt', { prompt: '' }],
    ['prompt', { prompt: undefined }],
    ['prompt_embeds', { prompt_embeds: 'aa' }],
    ['suffix', { suffix: 'x' }],
    ['logprobs', { logprobs: 0 }],
  ])('names %s for a completion with %j', (reason, fields) => {
    expect(whyNotContinuable(completion, 'completions')).toBeNull();
    expect(whyNotContinuable({ ...completion, ...fields }, 'completions')).toBe(reason);
  });
});
