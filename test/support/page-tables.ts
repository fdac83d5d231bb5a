/** The rows of the first table below a heading of a page, without its head, each as its cells. */
export function rowsBelow(page: string, heading: string): string[][] {
  const lines = page.split('\n');
  const begin = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (begin === -1) throw new Error(`there is no heading "${heading}"`);
  const rows: string[][] = [];
  for (const line of lines.slice(begin + 1)) {
    if (/^#+ /.test(line)) break;
    if (line.startsWith('|'))
      rows.push(
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    else if (rows.length > 0) break;
  }
  return rows.slice(2);
}

/** What stands in back-quotes in a cell. */
export const namesIn = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
