import { type CanonicalText, MARK } from './canonical-text.js';

/** Objects and arrays within each other that are looked at. */
const DEEPEST = 32;
/** Shorter strings are text even when they look like a data URL. */
const SHORTEST_DATA_URL = 256;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Content parts that are no text: `image_url`, `input_image`, `image`, `input_audio`, `video_url`, `file`, ... */
const isMedia = (part: Fields): boolean =>
  typeof part['type'] === 'string' && /image|audio|video|file/.test(part['type'].slice(0, 64));

/**
 * Any value of a body: text, numbers, lists and objects in the order in which they came, media by their hash.
 * What is deeper than 32 levels leaves only a mark.
 */
function writeValue(to: CanonicalText, value: unknown, depth = 0): void {
  if (!to.step()) return;
  if (typeof value === 'string') {
    const media = to.takesMedia && value.length > SHORTEST_DATA_URL && value.startsWith('data:');
    if (media) to.media((apart) => apart.text(value));
    else to.text(value);
  } else if (typeof value !== 'object' || value === null) {
    to.text(String(value));
  } else if (depth >= DEEPEST) {
    to.mark(MARK.end);
  } else if (Array.isArray(value)) {
    for (const one of value) {
      if (to.spent) return;
      to.mark(MARK.value);
      writeValue(to, one, depth + 1);
    }
    to.mark(MARK.end);
  } else if (to.takesMedia && isMedia(value as Fields)) {
    to.media((apart) => writeValue(apart, value));
  } else {
    for (const key in value) {
      if (to.spent) return;
      to.mark(MARK.name);
      to.text(key);
      to.mark(MARK.value);
      writeValue(to, (value as Fields)[key], depth + 1);
    }
    to.mark(MARK.end);
  }
}

/** Content of a message; a list of one text is the same as the text. */
function writeContent(to: CanonicalText, content: unknown): void {
  if (typeof content === 'string') return to.text(content);
  if (content === null || content === undefined) return;
  if (!Array.isArray(content)) return writeValue(to, content);
  let first = true;
  for (const part of content) {
    if (!to.step()) return;
    if (!first) to.mark(MARK.part);
    first = false;
    if (isObject(part) && typeof part['text'] === 'string') to.text(part['text']);
    else if (typeof part === 'string') to.text(part);
    else writeValue(to, part);
  }
}

function writeMessage(to: CanonicalText, role: unknown, content: unknown, fields: Fields): void {
  to.mark(MARK.message);
  writeValue(to, role);
  if (typeof fields['name'] === 'string') {
    to.mark(MARK.name);
    to.text(fields['name']);
  }
  to.mark(MARK.content);
  writeContent(to, content);
  for (const key of ['tool_calls', 'function_call', 'tool_call_id']) {
    const value = fields[key];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    to.mark(MARK.calls);
    writeValue(to, value);
  }
}

/** What stands before all messages, whatever its place in the body: chat templates write tools first. */
function writeHead(to: CanonicalText, body: Fields): void {
  for (const key of ['chat_template', 'tools', 'functions', 'documents']) {
    const value = body[key];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    to.mark(MARK.tools);
    writeValue(to, value);
  }
}

const NO_FIELDS: Fields = Object.freeze({});

/**
 * The canonical text of a conversation: tools first, then for each message a mark, the role, a mark and the
 * content. It is append-only: that of a conversation with one more message begins with that of the conversation.
 * The chat, messages and responses APIs give the same text for the same conversation, as vLLM renders them alike.
 * Returns false when the body has no conversation.
 */
export function writeConversation(to: CanonicalText, body: Fields): boolean {
  const messages = body['messages'] ?? body['input'];
  if (typeof messages !== 'string' && !Array.isArray(messages)) return false;
  writeHead(to, body);
  const system = body['system'] ?? body['instructions'];
  if (system !== undefined && system !== null) writeMessage(to, 'system', system, NO_FIELDS);
  if (typeof messages === 'string') {
    writeMessage(to, 'user', messages, NO_FIELDS);
    return true;
  }
  for (const message of messages as readonly unknown[]) {
    if (!to.step()) break;
    if (isObject(message) && 'role' in message) {
      writeMessage(to, message['role'], message['content'], message);
    } else {
      // An item of the responses API that is no message: a call of a function, its output, ...
      to.mark(MARK.message);
      writeValue(to, message);
    }
  }
  return true;
}

/** What the next turn of a conversation has before the text of an answer. */
export function writeAnswerMark(to: CanonicalText): void {
  writeMessage(to, 'assistant', null, NO_FIELDS);
}
