import { useEffect, useState } from 'preact/hooks';

/** How long a button says what became of it, milliseconds. */
const TOLD_MS = 2_000;

/** Browsers give the clipboard to secure pages alone; elsewhere the text is selected as if by hand. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    // What stands in for the clipboard where there is none.
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text }: { readonly text: string }) {
  const [told, setTold] = useState<string | null>(null);
  useEffect(() => {
    if (told === null) return undefined;
    const timer = setTimeout(() => setTold(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const run = async (): Promise<void> => setTold((await copy(text)) ? 'Copied' : 'Not allowed');
  return (
    <button type="button" class="copy" onClick={() => void run()}>
      <span aria-live="polite">{told ?? 'Copy'}</span>
    </button>
  );
}
