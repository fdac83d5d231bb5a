import { useState } from 'preact/hooks';
import type { SettingLine } from '../../src/core/live/live-view.js';
import { NOTHING } from '../format.js';
import { Section } from './section.js';

/** The settings in force, and where each comes from. */
export function Settings({ lines }: { readonly lines: readonly SettingLine[] }) {
  const [wanted, setWanted] = useState('');
  const [all, setAll] = useState(false);
  const search = wanted.trim().toLowerCase();
  const shown = lines.filter(({ name, value, origin, group }) => {
    if (search !== '')
      return [name, value, origin, group].some((text) => text.toLowerCase().includes(search));
    return all || origin !== 'default';
  });
  return (
    <Section
      id="settings"
      title="Settings in force"
      tools={
        <>
          <label class="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
            defaults too
          </label>
          <input
            type="search"
            aria-label="Find settings"
            placeholder="Find"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </>
      }
    >
      {shown.length === 0 ? (
        <p class="empty">{search === '' ? 'Every setting has its default.' : 'No setting is like that.'}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of settings">
          <table role="table" class="settings">
            <caption class="unseen">Settings in force with their origin</caption>
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">
                  Setting
                </th>
                <th role="columnheader" scope="col">
                  Value
                </th>
                <th role="columnheader" scope="col">
                  From
                </th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {shown.map(({ name, value, origin }) => (
                <tr key={name} role="row">
                  <th role="rowheader" scope="row">
                    <code>{name}</code>
                  </th>
                  <td role="cell">
                    <code>{value === '' ? NOTHING : value.replaceAll(',', ', ')}</code>
                  </td>
                  <td role="cell" class={origin === 'default' ? 'note' : ''}>
                    {origin}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
