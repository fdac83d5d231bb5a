import type { Browser, Page } from 'playwright-core';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { startTestRouter } from '../support/start-router.js';
import { openPage, type SeenPage, seriousFaults, startBrowser } from './support/browser.js';

let browser: Browser;
let engine: SimulatedEngine;
let router: RunningRouter;
let seen: SeenPage;

beforeAll(async () => {
  browser = await startBrowser();
  engine = await startSimulatedEngine({ models: ['tiny'], tokens: 4 });
});
afterEach(async () => {
  await seen.page.close();
  await router.close();
});
afterAll(async () => {
  await browser.close();
  await engine.close(0);
});

const open = async (hash: string, look = {}, ...flags: string[]): Promise<Page> => {
  router = await startTestRouter([engine], flags);
  seen = await openPage(browser, `${router.url}/docs${hash}`, look);
  await seen.page.locator('.operation').first().waitFor();
  return seen.page;
};
const card = (page: Page, id: string) => page.locator(`#${id}`);

describe('the page of the API', () => {
  it('shows the route that its address names, and sends its example', async () => {
    const page = await open('#v1ChatCompletions');
    const chat = card(page, 'v1ChatCompletions');
    await chat.locator('.inside').waitFor();
    expect(await chat.locator('.command').innerText()).toContain(`${router.url}/v1/chat/completions`);
    expect(await chat.locator('.answers > li').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringContaining('model_not_found')]),
    );
    await chat.getByText('Try it', { exact: true }).click();
    const body = chat.getByRole('textbox', { name: 'Body' });
    expect(JSON.parse(await body.inputValue())).toMatchObject({ model: 'tiny' });
    await body.fill(
      JSON.stringify({ model: 'tiny', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    );
    await chat.getByLabel('x-request-id').fill('from-the-page');
    await chat.getByRole('button', { name: 'Send' }).click();
    await chat.getByText('[DONE]').waitFor();
    expect(await chat.locator('.received p').innerText()).toMatch(/200 OK[\s\S]*x-request-id: from-the-page/);
    expect(seen.complaints).toEqual([]);
  });

  it('sends the key that somebody types, and shows the error without it', async () => {
    const page = await open('', {}, '--admin-key', 'boss');
    const reload = card(page, 'reload');
    await reload.locator('summary').first().click();
    await reload.getByText('Try it', { exact: true }).click();
    await reload.getByRole('button', { name: 'Send' }).click();
    await reload.getByText('401 Unauthorized').waitFor();
    await page.getByLabel('Key for').fill('boss');
    await reload.getByRole('button', { name: 'Send' }).click();
    await reload.getByText('409 Conflict').waitFor();
    await reload.locator('.received', { hasText: 'nothing_to_reload' }).waitFor();
  });

  it('opens and closes with the keyboard', async () => {
    const page = await open('');
    await card(page, 'health').locator('summary').first().focus();
    await page.keyboard.press('Enter');
    await card(page, 'health').locator('.inside').waitFor();
    await page.keyboard.press('Enter');
    await card(page, 'health').locator('.inside').waitFor({ state: 'detached' });
  });

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['a phone', { width: 390 }],
  ])('is without serious faults for axe: %s', async (_name, look) => {
    const page = await open('#v1ChatCompletions', look, '--admin-key', 'boss', '--dashboard');
    await card(page, 'v1ChatCompletions').locator('.inside').waitFor();
    await card(page, 'v1ChatCompletions').getByText('Try it', { exact: true }).click();
    expect(await seriousFaults(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(seen.complaints).toEqual([]);
  });
});
