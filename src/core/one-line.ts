/** Text of others as a log line may hold it: in quotes where needed, and with nothing that ends a line or moves a cursor. */
export const inOneLine = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\p{C}\u2028\u2029]/gu, '?');
