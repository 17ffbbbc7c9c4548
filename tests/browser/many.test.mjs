// A long list: only what is on the screen is drawn, and all of it can be reached.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBrowser, startServer, until } from './harness.mjs';
import { folderWith, history } from './screens/history.mjs';
import { dashboard, look, pillSays } from './screens/look.mjs';

const JOBS = 2_000;
/** More cards or rows than any screen of these tests draws. */
const DRAWN_MAX = 80;

/** The labels that are on the screen, in order. */
const onScreen = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('[data-place]:not(.skeleton)')]
      .filter((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return bottom > 80 && top < innerHeight;
      })
      .map((one) => one.querySelector('h3, .link').textContent),
  );
const isOnScreen = (page, label) => until(`${label} on the screen`, async () => (await onScreen(page)).includes(label));
const drawn = (page) => page.locator('[data-place]').count();
const focused = (page) => page.evaluate(() => document.activeElement.closest('[data-place]')?.dataset.place ?? null);
/** Waits until the card at a place has the focus. */
const focusIs = (page, place) => page.waitForFunction((place) => document.activeElement.closest('[data-place]')?.dataset.place === place, String(place));

test('b8_a_long_list_is_as_long_as_its_scrollbar_and_draws_a_screenful', async (t) => {
  const server = await startServer(t, { folder: await folderWith(t, history(JOBS)) });
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  await isOnScreen(page, `job-${JOBS}`);
  const { high, card } = await page.evaluate(() => ({
    high: document.querySelector('.grid').getBoundingClientRect().height,
    card: document.querySelector('.card').getBoundingClientRect().height,
  }));
  const columns = await page.evaluate(() => getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length);
  assert.ok(columns > 1, `${columns} columns`);
  assert.ok(Math.abs(high - Math.ceil(JOBS / columns) * (card + 12)) < 20, `${high} px for ${JOBS} jobs in ${columns} columns`);
  assert.ok((await drawn(page)) < DRAWN_MAX);
  assert.equal(await page.locator('.card').first().getAttribute('aria-setsize'), String(JOBS));

  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await isOnScreen(page, 'job-1');
  assert.ok((await drawn(page)) < DRAWN_MAX);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await until('cards in the middle', async () => (await onScreen(page)).some((label) => Math.abs(Number(label.slice(4)) - JOBS / 2) < 50));

  await page.getByLabel('Go to').fill('1500');
  await page.keyboard.press('Enter');
  await isOnScreen(page, `job-${JOBS - 1499}`);
  await page.keyboard.press('Tab');
  await page.evaluate(() => document.activeElement.blur());

  // With the keyboard alone: from card to card, beyond what is drawn.
  await page.keyboard.press('j');
  await until('a card with the focus', () => focused(page));
  const start = Number(await focused(page));
  for (let nth = 1; nth <= 3; nth += 1) {
    await page.keyboard.press('ArrowDown');
    await focusIs(page, start + nth * columns);
  }
  await page.keyboard.press('ArrowRight');
  await focusIs(page, start + 3 * columns + 1);
  await page.keyboard.press('k');
  await focusIs(page, start + 3 * columns);
  assert.ok((await drawn(page)) < DRAWN_MAX);

  // Somebody else's job comes first, and what is on the screen stays filled.
  assert.equal((await server.send('POST', '/api/v1/jobs', { prompt: 'the newest of all' })).status, 201);
  await page.evaluate(() => scrollTo(0, 0));
  await isOnScreen(page, `job-${JOBS + 1}`);

  await page.keyboard.press('v');
  await page.locator('.table').waitFor();
  assert.equal(await page.locator('.table').getAttribute('aria-rowcount'), String(JOBS + 1));
  await isOnScreen(page, `job-${JOBS + 1}`);
  assert.ok((await drawn(page)) < DRAWN_MAX);
  await look(page, 'table');
  await page.reload();
  await page.locator('.table').waitFor(); // Looks are remembered.
  await page.getByRole('button', { name: 'Show cards' }).click();
  await page.locator('.grid').waitFor();
});

test('q5_a_query_is_in_the_address_and_a_fault_is_marked', async (t) => {
  const server = await startServer(t, { folder: await folderWith(t, history(300)) });
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  const found = (n) => page.locator('.found', { hasText: `${n} found` }).waitFor();

  await page.getByRole('searchbox').fill('status:error width:>=64 dragon');
  const expected = history(300).jobs.filter(({ status, width, prompt }) => status === 'error' && width >= 64 && prompt.includes('dragon')).length;
  assert.ok(expected > 0);
  await found(expected);
  assert.equal(new URL(page.url()).search, '?q=status:error+width:%3E%3D64+dragon');

  await page.getByRole('searchbox').fill('dragon width:>wide');
  await page.getByText('cannot be compared').waitFor();
  assert.equal(await page.locator('.fault mark').textContent(), 'wide');
  assert.ok((await page.locator('.card').count()) > 0, 'what was found before stays');
  assert.equal((await server.send('POST', '/api/v1/jobs', { prompt: 'a late dragon', width: 64 })).status, 201);
  await page.getByRole('searchbox').fill('status:error width:>=64 dragon');
  await found(expected);
  await page.getByRole('searchbox').fill('dragon');
  await page.locator('.card', { hasText: 'a late dragon' }).waitFor();
  await page.getByRole('searchbox').fill('dragon width:>wide');
  await page.getByText('cannot be compared').waitFor();
  await look(page, 'fault');

  await page.goto(`${server.url}?q=width:%3Ewide`);
  await page.getByText('The search means nothing yet').waitFor();
  await page.goto(`${server.url}?q=created:2026-01-05+has:image&sort=created#bin`);
  await page.getByText('No job fits').waitFor();
  await page.goto(`${server.url}?q=created:2026-01-05+has:image&sort=created`);
  const day = history(300).jobs.filter(({ createdAt, result }) => new Date(createdAt).toISOString().startsWith('2026-01-05') && JSON.stringify(result ?? '').includes('data:image'));
  await found(day.length);
  await isOnScreen(page, 'job-1');
  await page.getByRole('button', { name: /^Bin/ }).click();
  await page.getByText('The bin is empty').waitFor();
  await page.goBack();
  await found(day.length);
});
