// Bodies of requests as clients send them, parsed, with text that never repeats unless it is asked to.

const WORDS = ['river', 'stone', 'a', 'of', 'seven', 'and', 'light', 'under', 'walks', 'slow', 'the', 'in'];

/** So many characters of words, the same for the same seed; flat, as what comes out of JSON.parse is. */
export function prose(characters, seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  let text = '';
  while (text.length < characters) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += `${WORDS[(state >>> 28) & 7]} ${state % 9973} `;
  }
  return JSON.parse(JSON.stringify(text.slice(0, characters)));
}

/** A conversation of turns of 2,000 characters that begins with `system`; `characters` in all. */
export function conversation(system, characters, seed) {
  const messages = [{ role: 'system', content: system }];
  for (let left = characters - system.length, turn = 0; left > 0; left -= 2_000, turn++) {
    const role = turn % 2 === 0 ? 'user' : 'assistant';
    messages.push({ role, content: prose(Math.min(left, 2_000), seed * 1_000 + turn) });
  }
  return { model: 'm', messages };
}
