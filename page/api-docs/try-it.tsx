import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { CopyButton } from './copy-button.js';
import { curlText, exampleBody, exampleParameters, fieldsOf, type Filled, isFile } from './request-text.js';
import { type Received, send } from './sending.js';
import type { ShownOperation } from './shown-api.js';

export interface Asking {
  /** URL of the router, with a slash at its end. */
  readonly base: string;
  /** Asked for in examples; null: the one that they have. */
  readonly model: string | null;
  /** Sent with requests from the page; empty: none. */
  readonly apiKey: string;
}

interface TryItProps extends Asking {
  readonly operation: ShownOperation;
}

/** What somebody fills in; it begins as the example, anew with each model. */
function useFilled(operation: ShownOperation, model: string | null) {
  const fresh = (): Filled => ({
    parameters: exampleParameters(operation, model),
    body: exampleBody(operation, model),
  });
  const [filled, setFilled] = useState(fresh);
  useEffect(() => setFilled(fresh()), [operation, model]);
  return [filled, setFilled] as const;
}

/** The request as a command to copy, and the same sent from here. */
export function TryIt({ operation, base, model, apiKey }: TryItProps) {
  const [filled, setFilled] = useFilled(operation, model);
  const [files, setFiles] = useState<Readonly<Record<string, File>>>({});
  const [received, setReceived] = useState<Received | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const curl = useMemo(() => curlText(operation, base, filled), [operation, base, filled]);
  const busy = received !== null && !received.over;

  const run = (): void => {
    running.current = new AbortController();
    setReceived({ status: 'Sent', headers: [], text: '', over: false });
    void send({ base, operation, filled, key: apiKey, files }, running.current.signal, setReceived);
  };
  return (
    <div class="try">
      <div class="command">
        <pre tabIndex={0}>
          <code>{curl}</code>
        </pre>
        <CopyButton text={curl} />
      </div>
      <details>
        <summary>Try it</summary>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            run();
          }}
        >
          <Fields operation={operation} filled={filled} onFill={setFilled} onFile={setFiles} />
          <div class="buttons">
            <button type="submit" class="primary" disabled={busy}>
              Send
            </button>
            {busy && (
              <button type="button" onClick={() => running.current?.abort()}>
                Stop
              </button>
            )}
          </div>
        </form>
        {received !== null && (
          <div class="received" role="status">
            <p>
              <strong>{received.status}</strong>
              {received.headers
                .filter(([name]) => SHOWN.test(name))
                .map(([name, value]) => (
                  <code key={name}>{`${name}: ${value}`}</code>
                ))}
            </p>
            {received.text !== '' && (
              <pre tabIndex={0}>
                <code>{received.text}</code>
              </pre>
            )}
          </div>
        )}
      </details>
    </div>
  );
}

const SHOWN = /^(content-type|x-request-id|retry-after|x-vllm-router-explain)$/;

interface FieldsProps {
  readonly operation: ShownOperation;
  readonly filled: Filled;
  readonly onFill: (filled: Filled) => void;
  readonly onFile: (
    change: (files: Readonly<Record<string, File>>) => Readonly<Record<string, File>>,
  ) => void;
}

function Fields({ operation: { id, parameters, body }, filled, onFill, onFile }: FieldsProps) {
  const files = body?.type === 'multipart/form-data' ? Object.entries(fieldsOf(filled.body)) : [];
  return (
    <div class="fields">
      {parameters.map(({ name, required = false }) => (
        <label key={name}>
          <span>{name}</span>
          <input
            type="text"
            name={name}
            required={required}
            value={filled.parameters[name] ?? ''}
            onInput={({ currentTarget: { value } }) =>
              onFill({ ...filled, parameters: { ...filled.parameters, [name]: value } })
            }
          />
        </label>
      ))}
      {body !== null && (
        <label class="wide">
          <span>{files.length > 0 ? 'Fields of the form' : 'Body'}</span>
          <textarea
            name={`${id}-body`}
            rows={Math.min(14, filled.body.split('\n').length + 1)}
            spellcheck={false}
            value={filled.body}
            onInput={({ currentTarget: { value } }) => onFill({ ...filled, body: value })}
          />
        </label>
      )}
      {files
        .filter(([, value]) => isFile(value))
        .map(([name]) => (
          <label key={name}>
            <span>{name}</span>
            <input
              type="file"
              required
              onChange={({ currentTarget }) => {
                const [file] = currentTarget.files ?? [];
                if (file !== undefined) onFile((before) => ({ ...before, [name]: file }));
              }}
            />
          </label>
        ))}
    </div>
  );
}
