import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiDocument } from '../../src/api-docs/openapi.js';
import { Answers } from './answers.js';
import { Prose } from './prose.js';
import { ParameterTable, SchemaTable } from './schema-table.js';
import type { ShownOperation } from './shown-api.js';
import { type Asking, TryIt } from './try-it.js';

interface OperationCardProps extends Asking {
  readonly document: ApiDocument;
  readonly operation: ShownOperation;
  /** The address of the page names it. */
  readonly named: boolean;
}

/** One route, folded until somebody wants it; what is in it is made then. */
export function OperationCard({ document, operation, named, ...asking }: OperationCardProps) {
  const card = useRef<HTMLDetailsElement>(null);
  const [open, setOpen] = useState(named);
  useEffect(() => {
    if (!named) return;
    setOpen(true);
    card.current?.scrollIntoView();
  }, [named]);
  return (
    <details
      class="operation"
      id={operation.id}
      ref={card}
      open={open}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <span class={`method is-${operation.method.toLowerCase()}`}>{operation.method}</span>
        <code class="path">{operation.path}</code>
        <span class="note">{operation.summary}</span>
        {operation.asksForKey && <span class="lock">key</span>}
      </summary>
      {open && <Inside document={document} operation={operation} {...asking} />}
    </details>
  );
}

function Inside({ document, operation, ...asking }: Omit<OperationCardProps, 'named'>) {
  const { description, parameters, body, answers } = operation;
  return (
    <div class="inside">
      {description !== '' && <Prose text={description} />}
      <h4>Request</h4>
      <TryIt operation={operation} {...asking} />
      {parameters.length > 0 && <ParameterTable document={document} parameters={parameters} />}
      {body !== null && (
        <>
          <p class="note">
            Body, <code>{body.type}</code>
          </p>
          <SchemaTable document={document} label="Body" schema={body.schema} />
        </>
      )}
      <h4>Answers</h4>
      <Answers document={document} answers={answers} />
    </div>
  );
}
