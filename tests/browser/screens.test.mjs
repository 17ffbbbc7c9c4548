// The dashboard in each of its states: pictures in artifacts/, and nothing for axe to find.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBrowser, startServer, until } from './harness.mjs';
import { folderWith, history } from './screens/history.mjs';
import { add, dashboard, look, pillSays } from './screens/look.mjs';
import { startStandin } from './screens/standin.mjs';

const cards = (page, status) => page.locator(`.card[data-status="${status}"]`);
const cardsAre = (page, status, count) => until(`${count} cards ${status}`, async () => (await cards(page, status).count()) === count);

test('screens_from_empty_through_running_to_offline', async (t) => {
  const standin = await startStandin(t);
  const server = await startServer(t, { env: standin.env });
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  await look(page, 'empty');

  await add(page, 'heroic knight in polished plate armour, sword raised', 'Add 3');
  await add(page, 'old wizard with a long white beard');
  await add(page, 'small pixel dragon, emerald scales');
  await cardsAre(page, 'running', 3);
  await cardsAre(page, 'queued', 2);
  await look(page, 'running');

  standin.draw();
  await cardsAre(page, 'success', 5);
  await pillSays(page, 'server has it');
  await look(page, 'done');

  standin.refuse(402, 'Insufficient credits');
  await add(page, 'a dragon that nobody paid for');
  await cardsAre(page, 'error', 1);
  await cards(page, 'error').getByText('No credit left', { exact: true }).waitFor();
  await look(page, 'error');

  await page.getByRole('button', { name: /^Remove job-1$/ }).click();
  await page.getByRole('button', { name: /^Remove job-6$/ }).click();
  await page.getByRole('button', { name: /^Bin/ }).click();
  await until('two cards in the bin', async () => (await page.locator('.card').count()) === 2);
  await look(page, 'bin');
  await page.getByRole('button', { name: /^Jobs/ }).click();
  await cardsAre(page, 'success', 4);

  await server.stop();
  await pillSays(page, 'offline');
  await add(page, 'drawn when the server is back');
  await page.getByRole('button', { name: /^Remove job-2$/ }).click();
  await pillSays(page, 'Saved here · 2 waiting');
  await look(page, 'offline', { offline: true });

  standin.draw();
  await server.start();
  await pillSays(page, 'server has it');
  await cards(page, 'success').filter({ hasText: 'drawn when the server is back' }).waitFor();
});

test('screens_a_thousand_jobs_of_the_old_dashboard', async (t) => {
  const server = await startServer(t, { folder: await folderWith(t, history(1000)) });
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  await page.getByRole('button', { name: /^Jobs/ }).filter({ hasText: '1,000' }).waitFor();
  await look(page, 'thousand');

  await page.getByRole('searchbox').fill('status:error dragon');
  await page.locator('.found', { hasText: 'found' }).waitFor();
  await look(page, 'thousand-found');
});

test('d4_a_conflict_is_looked_at_side_by_side_and_settled', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  const key = await page.evaluate(async () => (await app.client.jobs.insert({ prompt: 'an owl', width: 64, height: 64, seed: '7' }, { run: true })).key);
  await cardsAre(page, 'success', 1);
  await pillSays(page, 'server has it');

  // Here without the server, there without this page.
  await server.stop();
  await page.evaluate((key) => app.client.jobs.change(key, { prompt: 'an owl, asleep', seed: '8' }), key);
  await page.evaluate(() => app.client.flush());
  await page.goto('about:blank');
  await server.start();
  assert.equal((await server.send('PATCH', `/api/v1/jobs/${key}`, { prompt: 'an owl with a hat', seed: '9' })).status, 200);
  page.troubles.length = 0;
  await page.goto(server.url);
  await page.locator('.card', { hasText: 'Edited apart: prompt, seed' }).waitFor();
  await pillSays(page, 'server has it');
  await look(page, 'conflict');

  await page.getByRole('button', { name: '1 edited apart' }).click();
  const dialog = page.getByRole('dialog');
  const prompts = dialog.getByRole('region', { name: 'prompt' });
  await prompts.getByText('an owl, asleep').waitFor();
  await prompts.getByText('an owl with a hat').waitFor();
  await look(page, 'conflict-sides');

  // Somebody moves a side while it is looked at: it is said, and what was shown cannot be settled any more.
  assert.equal((await server.send('PATCH', `/api/v1/jobs/${key}`, { prompt: 'an owl with a crown' })).status, 200);
  await dialog.getByText('Somebody just changed this').waitFor();
  await look(page, 'conflict-moved');
  await prompts.getByRole('button', { name: /^Keep this: value 1 of prompt/ }).click();
  await page.locator('.toast', { hasText: 'Not settled' }).waitFor();
  await dialog.getByRole('button', { name: 'Show it as it is' }).click();
  await prompts.waitFor({ state: 'detached' }); // What came after both of them settled it.
  const seeds = dialog.getByRole('region', { name: 'seed' });
  const shown = await page.evaluate(async (key) => (await app.client.jobs.get(key)).job.seed, key);
  const other = seeds.getByRole('article').filter({ hasNotText: 'shown now' });
  await other.getByRole('button', { name: /^Keep both/ }).click();
  await page.locator('.toast', { hasText: 'both kept, as two jobs' }).waitFor();
  await dialog.getByText('Nothing stands against anything here any more.').waitFor();
  await look(page, 'conflict-settled');
  await page.keyboard.press('Escape');
  const both = await page.evaluate(async () => (await app.client.jobs.query()).rows.map(({ job, conflicts }) => [job.prompt, job.seed, conflicts.length]));
  assert.deepEqual(both, [
    ['an owl with a crown', shown === '8' ? '9' : '8', 0],
    ['an owl with a crown', shown, 0],
  ]);
});
