// F7, F4: what becomes of the file is on the page within a moment, and answered there.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { startBrowser, startServer, until } from './harness.mjs';
import { folderWith } from './screens/history.mjs';
import { dashboard, look, pillSays } from './screens/look.mjs';

const job = (n) => ({ id: `job-${n}`, prompt: `knight ${n}`, width: 64, height: 64, status: 'idle', createdAt: n });
const history = (count) => ({ version: '1.0', lastJobId: count + 1, jobs: Array.from({ length: count }, (_, at) => job(at + 1)) });

/** A page on a history of five jobs, once the file is written and the page is in step. */
async function begin(t) {
  const folder = await folderWith(t, history(5));
  const server = await startServer(t, { folder });
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  await until('the file to be written', async () => (await server.read()).sync !== undefined);
  return { server, page };
}

test('f7_a_broken_file_is_told_with_line_and_column_and_no_longer_when_it_is_mended', async (t) => {
  const { server, page } = await begin(t);
  const good = await readFile(server.file, 'utf8');
  const lines = good.split('\n');
  const at = lines.findIndex((line) => line.includes('knight 3'));
  const broken = lines.with(at, lines[at].replace(/,$/, ''));
  const began = performance.now();
  await writeFile(server.file, broken.join('\n'));
  const banner = page.locator('.banner[data-level="error"]');
  await banner.waitFor();
  const text = await banner.innerText();
  assert.match(text, /cannot be read/);
  assert.match(text, new RegExp(`line ${at + 2}, column \\d+`), text);
  assert.equal(await banner.getAttribute('role'), 'alert');
  t.diagnostic(`told after ${Math.round(performance.now() - began)} ms`);
  await look(page, 'file-broken');

  await writeFile(server.file, good.replace('knight 3', 'mended by hand'));
  await banner.waitFor({ state: 'detached' });
  await page.locator('.card', { hasText: 'mended by hand' }).waitFor();
  await page.locator('.banner', { hasText: 'From the file on disk: 1 changed' }).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('f7_a_file_that_removes_most_is_asked_about_and_answered_on_the_page', async (t) => {
  const { server, page } = await begin(t);
  const few = async () => {
    const file = await server.read();
    file.jobs = file.jobs.slice(0, 1);
    await writeFile(server.file, JSON.stringify(file));
  };
  await few();
  const banner = page.locator('.banner', { hasText: 'would remove most jobs' });
  await banner.getByRole('button', { name: 'Keep the jobs' }).press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Write it anew' }).press('Enter');
  await banner.waitFor({ state: 'detached' });
  await until('the file to have all again', async () => (await server.read()).jobs.length === 5);
  assert.equal((await server.get('/api/v1/stats')).total, 5);

  await few();
  await banner.getByRole('button', { name: 'Take it as it is' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take it' }).click();
  await banner.waitFor({ state: 'detached' });
  await until('the list to be what the file says', async () => (await server.get('/api/v1/stats')).total === 1);
  await page.locator('.banner', { hasText: '4 moved to the bin' }).waitFor();
  assert.equal((await server.get('/api/v1/stats')).bin, 4);
  assert.deepEqual(page.troubles, []);
});
