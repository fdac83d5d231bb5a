import { ApiDocuments } from '../../../src/api-docs/api-documents.service.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import type { AccessControl } from '../../../src/security/access-control.js';

const settingsOf = (...flags: string[]): Settings =>
  loadSettings({
    argv: [
      ...['--service-discovery', 'static', '--static-backends', 'http://a:1', '--routing-logic', 'session'],
      ...['--session-key', 'x-user', ...flags],
    ],
    env: {},
    readFile: () => '',
  }).settings;
const access = { asksForKeys: false, hasPage: true } as AccessControl;

describe('the documents', () => {
  it('are made once for each port, and anew when a reload changes what they tell', async () => {
    const settings = new SettingsStore(settingsOf('--admin-port', '9001'));
    const documents = new ApiDocuments(settings, access);
    const [main, admin] = [await documents.of(false), await documents.of(true)];
    expect(await documents.of(false)).toBe(main);
    expect(await documents.of(true)).toBe(admin);
    expect(main.etag).not.toBe(admin.etag);
    settings.replace({ ...settings.current, engineStatsInterval: 1 });
    expect(await documents.of(false)).toBe(main);
    settings.replace({ ...settings.current, sessionKey: 'x-conversation' });
    const next = await documents.of(false);
    expect(next.etag).not.toBe(main.etag);
    expect(next.bytes.toString()).toContain('x-conversation');
  });

  it('keep what the router reads of a body, whatever the session key is called', async () => {
    for (const name of ['model', '__proto__', 'messages']) {
      const documents = new ApiDocuments(new SettingsStore(settingsOf('--session-key', name)), access);
      const document = JSON.parse((await documents.of(false)).bytes.toString());
      const { post } = document.paths['/v1/chat/completions'];
      const { properties } = post.requestBody.content['application/json'].schema;
      expect(properties.model.type).toBe('string');
      expect(properties.messages.type).toBe('array');
      expect(Object.keys(properties)).toContain(name);
    }
  });
});
