import type { ApiDocument, Parameter, Schema } from '../../src/api-docs/openapi.js';
import { Words } from './prose.js';
import { type SchemaRow, schemaRows, typeText } from './schema-rows.js';

interface RowsProps {
  readonly label: string;
  readonly rows: readonly SchemaRow[];
}

/** Fields or parameters, one a row. */
function Rows({ label, rows }: RowsProps) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ path, type, required, description }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
                {required && <span class="required">required</span>}
              </th>
              <td class="type">{type}</td>
              <td>
                <Words text={description} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SchemaTableProps {
  readonly document: ApiDocument;
  readonly label: string;
  readonly schema: Schema;
}

export function SchemaTable({ document, label, schema }: SchemaTableProps) {
  const rows = schemaRows(document, schema);
  if (rows.length > 0) return <Rows label={label} rows={rows} />;
  const { description } = schema as { readonly description?: string };
  return description === undefined ? null : (
    <p class="note">
      <Words text={description} />
    </p>
  );
}

interface ParameterTableProps {
  readonly document: ApiDocument;
  readonly parameters: readonly Parameter[];
}

export function ParameterTable({ document, parameters }: ParameterTableProps) {
  const rows = parameters.map(({ name, in: place, required = false, description, schema }) => ({
    path: name,
    type: `${place}, ${typeText(document, schema)}`,
    required,
    description,
  }));
  return <Rows label="Parameters" rows={rows} />;
}
