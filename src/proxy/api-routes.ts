/** The routes of the API that take a POST whose body names a model, without the leading slash. */
export const API_ROUTES = [
  'v1/chat/completions',
  'v1/completions',
  'v1/embeddings',
  'v1/responses',
  'v1/messages',
  'v1/messages/count_tokens',
  'v1/rerank',
  'v2/rerank',
  'rerank',
  'v1/score',
  'score',
  'pooling',
  'classify',
  'tokenize',
  'detokenize',
  'v1/audio/transcriptions',
  'v1/audio/translations',
  'v1/audio/speech',
  'v1/images/generations',
  'v1/images/edits',
  'v1/images/variations',
] as const;

export type ApiRoute = (typeof API_ROUTES)[number];
