// A browser profile that was copied, and its original: both go on, apart and then together (S4).
//
// Copying a profile copies the device's name and whatever the server has not seen yet; what must not be
// copied is the actor under which edits are made, or the second copy's would be taken for a forgery.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { holdTheEngine, startBrowser, startCopy, startServer, until } from './harness.mjs';
import { change, dashboard, insert, row, rows, shows, status } from './harness/dashboard.mjs';

const job = async (page, key) => (await row(page, key))?.job;

/** Waits until the page knows that nobody is there, and everything made in it is in its database. */
async function keptAlone(page) {
  await until('the page to know', async () => (await status(page)).connection !== 'online');
  await page.evaluate(() => app.client.flush());
  assert.equal((await status(page)).saved, 'saved');
}

/** Waits until the page says that all is saved at the server, to the program and to people. */
async function synced(page) {
  await until('the server to have everything', async () => {
    const it = await status(page);
    return it.connection === 'online' && it.waiting === 0 && it.serverHasIt;
  });
  await page.waitForFunction(() => /server has it/.test(document.querySelector('.pill-long').textContent));
}

/** Waits until all pages and the file show the same, and returns it. */
async function agreed(server, pages) {
  return until('pages and file to agree', async () => {
    const [first, ...rest] = await Promise.all(pages.map((page) => rows(page)));
    const told = (jobs) => JSON.stringify(jobs.map(({ id, prompt, width, height }) => [id, prompt, width, height]).sort());
    const [expected, file] = [told(first.map((row) => row.job)), await server.read()];
    const others = [...rest.map((one) => one.map((row) => row.job)), file.jobs];
    return others.every((jobs) => told(jobs) === expected) && first;
  });
}

/** What the document's log tells of one job: each edit of it once. */
async function told(server, key) {
  const [{ id }] = (await server.get('health')).documents;
  const { entries } = await server.get(`api/v1/documents/${id}/versions?job=${encodeURIComponent(key)}`);
  return entries;
}

/** A first visit, after which everything works alone, with two jobs that the server has. */
async function visited(browser, server) {
  const page = await dashboard(browser, server);
  const keys = [];
  for (const prompt of ['both edit it', 'edited before the copy']) keys.push(await insert(page, { prompt, width: 64, height: 64 }));
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await synced(page);
  return { page, keys };
}

/** A further edit of each reaches the other. */
async function goOn(server, pages) {
  for (const [nth, page] of pages.entries()) {
    const key = await insert(page, { prompt: `later, in ${nth}` });
    for (const other of pages) await shows(other, `later, in ${nth}`);
    await change(page, key, { width: 32 + nth });
  }
  for (const page of pages) await synced(page);
  await agreed(server, pages);
  assert.doesNotMatch(server.log, /closed the connection/, 'nobody was refused');
}

test('s4_a_copied_profile_and_its_original_both_go_on', async (t) => {
  const server = await startServer(t);
  const original = await startBrowser(t);
  const { page, keys: [shared, before] } = await visited(original, server);

  await server.stop();
  const made = await insert(page, { prompt: 'made before the copy' });
  await change(page, before, { prompt: 'reworded before the copy' });
  await change(page, shared, { seed: 'before' });
  await keptAlone(page);
  const { waiting } = await status(page);
  assert.ok(waiting > 0, 'the server has not seen them');

  await original.close();
  const copy = await startCopy(t, original);
  await original.start();
  const pages = [await dashboard(original, server), await dashboard(copy, server)];
  const devices = await Promise.all(pages.map((page) => page.evaluate(() => localStorage.getItem('plainsync/device'))));
  assert.equal(devices[0], devices[1], 'this is what a copy has in common');
  for (const page of pages) {
    await shows(page, 'made before the copy');
    assert.equal((await status(page)).waiting, waiting, 'each holds what waited before the copy');
  }

  const [a, b] = pages;
  await change(a, shared, { prompt: 'prompt by the original' });
  await change(b, shared, { width: 128 });
  await change(a, made, { height: 16 });
  await change(b, made, { width: 16 });
  const [newA, newB] = [await insert(a, { prompt: 'new in the original' }), await insert(b, { prompt: 'new in the copy' })];
  for (const page of pages) await keptAlone(page);

  await server.start();
  for (const page of pages) await synced(page);
  const all = await agreed(server, pages);
  assert.deepEqual(all.map(({ key }) => key).sort(), [shared, before, made, newA, newB].sort(), 'each once');
  const of = (key) => all.find((row) => row.key === key).job;
  assert.deepEqual([of(shared).prompt, of(shared).width, of(shared).seed], ['prompt by the original', 128, 'before']);
  assert.deepEqual([of(made).width, of(made).height], [16, 16]);
  assert.equal(of(before).prompt, 'reworded before the copy');
  assert.ok(all.every(({ conflicts }) => conflicts.length === 0), 'no edit stands against itself');
  assert.equal((await told(server, before)).length, 2, 'added and reworded, each once');
  assert.equal((await told(server, made)).length, 3, 'made once, then edited by both');
  for (const page of pages) for (const { job } of all) await shows(page, job.prompt);
  await goOn(server, pages);
});

/** What no worker has made a change of yet is copied too, and each copy's worker makes one, under its own actor. */
test('s4_an_edit_that_waits_for_its_worker_is_one_edit_in_both_copies', async (t) => {
  const server = await startServer(t);
  const original = await startBrowser(t);
  const { page, keys: [, before] } = await visited(original, server);

  await server.stop();
  await page.addInitScript(holdTheEngine);
  await page.reload();
  await page.waitForFunction(() => globalThis.app?.client !== undefined);
  await page.evaluate((key) => {
    void app.client.jobs.insert({ prompt: 'waits for a worker', width: 48 });
    void app.client.jobs.change(key, { prompt: 'reworded for a worker' });
  }, before);
  await page.waitForFunction(() => {
    const kept = JSON.stringify(Object.values(localStorage));
    return kept.includes('waits for a worker') && kept.includes('reworded for a worker');
  });
  assert.equal(await page.evaluate(() => globalThis.engineStarted), false);

  await original.close();
  const copy = await startCopy(t, original);
  await original.start();
  const pages = [await dashboard(original, server), await dashboard(copy, server)];
  for (const page of pages) {
    await shows(page, 'waits for a worker');
    await keptAlone(page);
  }
  const found = await Promise.all(pages.map((page) => rows(page)));
  const [key] = found[0].filter(({ job }) => job.prompt === 'waits for a worker').map((row) => row.key);
  await change(pages[0], key, { height: 96 });
  await change(pages[1], before, { width: 80 });
  for (const page of pages) await keptAlone(page);

  await server.start();
  for (const page of pages) await synced(page);
  const all = await agreed(server, pages);
  assert.equal(all.length, 3, 'the new job is there once');
  const of = (key) => all.find((row) => row.key === key).job;
  assert.deepEqual([of(key).prompt, of(key).width, of(key).height], ['waits for a worker', 48, 96]);
  assert.deepEqual([of(before).prompt, of(before).width], ['reworded for a worker', 80]);
  await goOn(server, pages);
});
