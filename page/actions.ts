import { adminKey } from './admin-key.js';
import { reasonIn } from './connection.js';
import { place } from './format.js';

/** What became of an action, in words. */
export interface Told {
  readonly ok: boolean;
  readonly text: string;
}

async function post(path: string, body: object, said: (answer: object) => Told): Promise<Told> {
  try {
    const answer = await fetch(path, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey() ?? ''}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) return { ok: false, text: await reasonIn(answer) };
    return said((await answer.json()) as object);
  } catch {
    return { ok: false, text: 'The router does not answer.' };
  }
}

const isChanged = (answer: object): boolean => (answer as { changed?: unknown }).changed === true;

export const drain = (url: string, id: string): Promise<Told> =>
  post('admin/engines/drain', { engine: id }, (answer) => ({
    ok: true,
    text: isChanged(answer) ? `${place(url)} gets no new requests.` : `${place(url)} was drained already.`,
  }));

export const giveBack = (url: string, id: string): Promise<Told> =>
  post('admin/engines/return', { engine: id }, (answer) => ({
    ok: true,
    text: isChanged(answer) ? `${place(url)} gets requests again.` : `${place(url)} was not drained.`,
  }));

export const retryDiscovery = (): Promise<Told> =>
  post('admin/discovery/retry', {}, () => ({
    ok: true,
    text: 'The discovery has begun anew, and engines are asked for their models.',
  }));

interface Reloaded {
  readonly dynamic_file: 'applied' | 'unchanged' | 'rejected' | null;
  readonly error: string | null;
  readonly files: readonly { readonly flags: string; readonly error: string | null }[];
}

export const reload = (): Promise<Told> =>
  post('admin/reload', {}, (answer) => {
    const { dynamic_file: outcome, error, files } = answer as Reloaded;
    const wrong = files.filter((file) => file.error !== null).map((file) => `${file.flags}: ${file.error}`);
    const parts = [
      ...(outcome === 'applied' ? ['The dynamic file is in force.'] : []),
      ...(outcome === 'unchanged' ? ['The dynamic file has not changed.'] : []),
      ...(outcome === 'rejected' ? [`The dynamic file is refused: ${error}`] : []),
      ...wrong,
      ...(files.length > 0 && wrong.length === 0 ? ['Files of keys and certificates are in force.'] : []),
    ];
    return { ok: outcome !== 'rejected' && wrong.length === 0, text: parts.join(' ') };
  });
