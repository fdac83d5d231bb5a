import { useEffect, useRef, useState } from 'preact/hooks';

interface SignInProps {
  readonly wrong: boolean;
  readonly onKey: (key: string) => void;
}

/** Asks for the admin key. */
export function SignIn({ wrong, onKey }: SignInProps) {
  const [key, setKey] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [wrong]);
  const enter = (event: Event): void => {
    event.preventDefault();
    if (key.trim() !== '') onKey(key.trim());
  };
  return (
    <main class="sign-in">
      <form onSubmit={enter}>
        <img src="dashboard/icon.svg" alt="" width="44" height="44" />
        <h1>vllm-router</h1>
        <label for="admin-key">Admin key</label>
        <input
          id="admin-key"
          ref={input}
          type="password"
          autoComplete="off"
          spellcheck={false}
          value={key}
          aria-invalid={wrong}
          aria-describedby="admin-key-note"
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p id="admin-key-note" class={wrong ? 'error' : 'note'} role={wrong ? 'alert' : undefined}>
          {wrong
            ? 'This is not the key of this router.'
            : 'What the router was started with as --admin-key. It is kept in this tab alone.'}
        </p>
        <button type="submit" class="primary" disabled={key.trim() === ''}>
          Open
        </button>
      </form>
    </main>
  );
}
