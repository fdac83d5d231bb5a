import type { ApiDocument } from '../../src/api-docs/openapi.js';
import { Prose, Words } from './prose.js';
import { SchemaTable } from './schema-table.js';
import type { ShownAnswer } from './shown-api.js';

interface AnswersProps {
  readonly document: ApiDocument;
  readonly answers: readonly ShownAnswer[];
}

/** The answers of a route by status; what they hold is folded away for all but the good one. */
export function Answers({ document, answers }: AnswersProps) {
  return (
    <ul class="answers">
      {answers.map((answer) => (
        <li key={answer.status}>
          <strong class={`status is-${answer.status[0]}`}>
            {answer.status === 'default' ? 'any other' : answer.status}
          </strong>
          <div class="meaning">
            <Prose text={answer.description} />
            <Held document={document} answer={answer} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Held({ document, answer }: { readonly document: ApiDocument; readonly answer: ShownAnswer }) {
  const { status, headers, content } = answer;
  const summary = content.map(([type]) => type).join(', ');
  return (
    <details open={status.startsWith('2')}>
      <summary>{summary === '' ? 'headers' : summary}</summary>
      {content.map(([type, { schema, example }]) => (
        <div key={type} class="media">
          {content.length > 1 && <h5>{type}</h5>}
          <SchemaTable document={document} label={`${status}, ${type}`} schema={schema} />
          {example !== undefined && (
            <pre tabIndex={0}>
              <code>{JSON.stringify(example, null, 2)}</code>
            </pre>
          )}
        </div>
      ))}
      {headers.length > 0 && (
        <dl class="headers">
          {headers.map(([name, { description }]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <Words text={description} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </details>
  );
}
