// T3: nothing from data reaches the page as markup, and only real pictures are shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBrowser, startServer } from './harness.mjs';
import { folderWith } from './screens/history.mjs';
import { HOSTILE, MARKUP, SCRIPT_END } from './screens/hostile.mjs';
import { add, dashboard, look, pillSays } from './screens/look.mjs';

/** What must not be there: a script that ran, a policy that had to stop one, an element made of data. */
const harm = (page) =>
  page.evaluate(() => ({
    ran: globalThis.ran ?? 0,
    stopped: globalThis.stopped,
    made: [...document.querySelectorAll('img[src="x"], script:not([src]), iframe, object, embed, [onerror], [onload], svg script')].map(({ outerHTML }) => outerHTML),
    shown: [...document.images].map(({ src }) => src).filter((src) => /^(data:image\/svg|data:text|javascript)/.test(src)),
  }));
const NO_HARM = { ran: 0, stopped: [], made: [], shown: [] };

test('t3_markup_in_a_file_is_text_and_what_is_no_picture_is_a_placeholder', async (t) => {
  const folder = await folderWith(t, { jobs: HOSTILE.map(({ job }) => job), lastJobId: 10, version: '1.0' });
  const server = await startServer(t, { folder });
  const browser = await startBrowser(t);
  await browser.context.addInitScript(() => {
    globalThis.stopped = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => globalThis.stopped.push(`${violatedDirective} ${blockedURI}`));
  });
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');

  for (const { job, shows, picture } of HOSTILE) {
    const card = page.locator('.card', { hasText: shows }).first();
    await card.scrollIntoViewIfNeeded();
    await card.locator(picture ? 'img.sprite' : '.stage .note:not(.loading)').waitFor();
    await card.getByRole('button', { name: /^Details of/ }).click();
    const details = page.getByRole('dialog');
    await details.getByText('As JSON').click();
    await details.locator('pre', { hasText: JSON.stringify(job.prompt) }).waitFor();
    if (!picture) assert.equal(await details.locator('img').count(), 0, shows);
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });
  }
  assert.deepEqual(await harm(page), NO_HARM);

  for (const prompt of [`${MARKUP} by hand`, `${SCRIPT_END} by hand`]) await add(page, prompt);
  await page.getByRole('button', { name: `Remove job-8${MARKUP}` }).click();
  await page.locator('.toast', { hasText: MARKUP }).waitFor();
  await look(page, 'hostile');

  // The same from this browser's storage, before the engine is loaded.
  await page.evaluate(() => app.client.flush());
  await page.reload();
  await page.locator('.card', { hasText: `${MARKUP} by hand` }).waitFor();
  await pillSays(page, 'server has it');
  assert.deepEqual(await harm(page), NO_HARM);
  assert.deepEqual(page.troubles, []);
});

test('t3_the_server_hands_out_no_page_made_of_data', async (t) => {
  const folder = await folderWith(t, { jobs: HOSTILE.map(({ job }) => job), lastJobId: 10, version: '1.0' });
  const server = await startServer(t, { folder });
  const { jobs } = await server.get('/api/v1/jobs?limit=100');
  assert.equal(jobs.length, HOSTILE.length);
  const blobs = JSON.stringify(jobs).match(/blob:sha256-[0-9a-f]{64}/g) ?? [];
  assert.ok(blobs.length > 0, 'a real picture is among them');
  for (const blob of new Set(blobs)) {
    const answer = await fetch(new URL(`api/v1/blobs/${blob.slice('blob:'.length)}`, server.url));
    assert.match(answer.headers.get('content-type'), /^image\/(png|jpeg|webp|gif)$/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
});
