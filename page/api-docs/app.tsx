import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ApiDocument } from '../../src/api-docs/openapi.js';
import { OperationCard } from './operation-card.js';
import { Prose } from './prose.js';
import { operationsOf, type ShownOperation } from './shown-api.js';
import type { Asking } from './try-it.js';

/** The page lies beside the document, below whatever path a proxy in front has. */
const BASE = new URL('.', location.href).href;

function useDocument() {
  const [document, setDocument] = useState<ApiDocument | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const answer = await fetch('openapi.json');
      if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
      setDocument((await answer.json()) as ApiDocument);
    };
    load().catch((reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)));
  }, []);
  return { document, error };
}

/** The names that examples can ask for; none where the list is not to be had. */
function useModels(document: ApiDocument | null, apiKey: string): readonly string[] {
  const [models, setModels] = useState<readonly string[]>([]);
  const listed = document !== null && '/v1/models' in document.paths;
  const locked = document?.paths['/v1/models']?.get?.security !== undefined;
  useEffect(() => {
    if (!listed || (locked && apiKey === '')) return;
    const load = async (): Promise<void> => {
      const headers = new Headers(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` });
      const answer = await fetch('v1/models', { headers });
      const { data } = (await answer.json()) as { readonly data?: readonly { readonly id: string }[] };
      setModels((data ?? []).map(({ id }) => id));
    };
    load().catch(() => setModels([]));
  }, [listed, locked, apiKey]);
  return models;
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = (): void => setHash(location.hash.slice(1));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return hash;
}

export function App() {
  const { document, error } = useDocument();
  const [apiKey, setApiKey] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const models = useModels(document, apiKey);
  const hash = useHash();
  const operations = useMemo(() => (document === null ? [] : operationsOf(document)), [document]);
  const asking = { base: BASE, model: chosen ?? models[0] ?? null, apiKey };
  return (
    <>
      <a class="skip" href="#routes">
        Skip to the routes
      </a>
      <header>
        <div class="bar">
          <h1>
            <img src="docs/icon.svg" alt="" width="28" height="28" />
            vllm-router API
          </h1>
          <a class="raw" href="openapi.json">
            openapi.json
          </a>
        </div>
      </header>
      <main id="routes" tabIndex={-1}>
        {error !== null && <p class="waiting">The document cannot be read: {error}</p>}
        {document !== null && (
          <>
            <div class="about">
              <Prose text={String(document.info['description'])} />
            </div>
            <Choices models={models} asking={asking} onModel={setChosen} onKey={setApiKey} />
            {document.tags.map(({ name, description }) => (
              <Group key={name} name={name} description={description}>
                {operations
                  .filter(({ tag }) => tag === name)
                  .map((operation: ShownOperation) => (
                    <OperationCard
                      key={operation.id}
                      document={document}
                      operation={operation}
                      named={hash === operation.id}
                      {...asking}
                    />
                  ))}
              </Group>
            ))}
          </>
        )}
      </main>
      <footer>
        <span>vllm-router {document === null ? '' : String(document.info['version'])}</span>
        <a href="docs/licences.txt">Licences</a>
      </footer>
    </>
  );
}

interface GroupProps {
  readonly name: string;
  readonly description: string;
  readonly children: ComponentChildren;
}

function Group({ name, description, children }: GroupProps) {
  const id = `tag-${name.toLowerCase()}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <p class="note">{description}</p>
      {children}
    </section>
  );
}

interface ChoicesProps {
  readonly models: readonly string[];
  readonly asking: Asking;
  readonly onModel: (model: string) => void;
  readonly onKey: (key: string) => void;
}

/** What all examples have in common. The key goes with what is sent from the page, and is forgotten with it. */
function Choices({ models, asking, onModel, onKey }: ChoicesProps) {
  return (
    <form class="choices" onSubmit={(event) => event.preventDefault()}>
      {models.length > 0 && (
        <label>
          <span>Model of the examples</span>
          <select value={asking.model ?? ''} onChange={({ currentTarget }) => onModel(currentTarget.value)}>
            {models.map((model) => (
              <option key={model} value={model}>
                {model}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        <span>Key for “Try it”</span>
        <input
          type="password"
          autocomplete="off"
          placeholder="none"
          value={asking.apiKey}
          onInput={({ currentTarget }) => onKey(currentTarget.value)}
        />
      </label>
    </form>
  );
}
