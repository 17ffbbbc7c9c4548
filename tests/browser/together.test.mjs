// Two browser profiles and a third tab on one history: live, apart, and together again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { holdTheEngine, shot, startBrowser, startServer, until } from './harness.mjs';
import { change, dashboard, insert, row, rows, shows, status } from './harness/dashboard.mjs';

const remove = (page, key) => page.evaluate((key) => app.client.jobs.remove(key), key);

const synced = (page) =>
  until('the server to have everything', async () => {
    const it = await status(page);
    return it.connection === 'online' && it.waiting === 0 && it.serverHasIt;
  });

test('s1_an_edit_of_one_is_seen_by_all_within_a_second', async (t) => {
  const server = await startServer(t);
  const [first, second] = [await startBrowser(t), await startBrowser(t)];
  const pages = [await dashboard(first, server), await dashboard(second, server), await dashboard(second, server)];
  for (const page of pages) await synced(page);
  for (const [nth, page] of pages.entries()) {
    const prompt = `seen by everyone ${nth}`;
    const others = pages.filter((other) => other !== page).map((other) => shows(other, prompt));
    const started = performance.now();
    const key = await insert(page, { prompt, width: 64, height: 64 });
    await Promise.all(others);
    t.diagnostic(`card on both other pages after ${Math.round(performance.now() - started)} ms`);
    assert.ok(key);
  }
  for (const page of pages) assert.deepEqual(page.troubles, []);
});

test('d3_d7_two_profiles_edit_apart_and_nothing_is_lost', async (t) => {
  const server = await startServer(t);
  const [first, second] = [await startBrowser(t), await startBrowser(t)];
  const [a, b] = [await dashboard(first, server), await dashboard(second, server)];
  const third = await dashboard(second, server);
  const keys = [];
  for (const prompt of ['both edit, other fields', 'both edit, one field', 'one removes, one edits', 'one removes']) {
    keys.push(await insert(a, { prompt, width: 64, height: 64 }));
  }
  for (const page of [a, b, third]) {
    await shows(page, 'one removes, one edits');
    await synced(page);
  }
  // After one visit everything works without a server (B1): the shell is kept by then.
  for (const page of [a, b]) await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

  await server.kill();
  for (const page of [a, b, third]) await until('the page to know', async () => (await status(page)).connection !== 'online');

  await change(a, keys[0], { prompt: 'prompt by a' });
  await change(b, keys[0], { width: 128 });
  await change(a, keys[1], { prompt: 'one field by a' });
  await change(b, keys[1], { prompt: 'one field by b' });
  await remove(a, keys[2]);
  await change(b, keys[2], { prompt: 'edited while removed' });
  await remove(b, keys[3]);
  await change(a, keys[1], { status: 'success', result: 'result of a', duration: 1 });
  await change(b, keys[1], { status: 'error', error: 'error of b', duration: 2 });
  const newA = await insert(a, { prompt: 'new by a' });
  const newB = await insert(b, { prompt: 'new by b' });
  const [labelA, labelB] = [(await row(a, newA)).job.id, (await row(b, newB)).job.id];
  assert.equal(labelA, labelB, 'both believe that theirs is the next number');
  for (const page of [a, b]) {
    await page.evaluate(() => app.client.flush());
    const it = await status(page);
    assert.ok(it.waiting > 0 && !it.serverHasIt && it.saved === 'saved', JSON.stringify(it));
  }

  // B1 and B3: a reload without a server shows the cards before the engine has loaded.
  for (const [page, prompt] of [[a, 'new by a'], [b, 'new by b']]) {
    await page.waitForFunction(
      (prompt) => Object.keys(localStorage).some((key) => key.endsWith('/first') && localStorage[key].includes(prompt)),
      prompt,
    );
    await page.addInitScript(holdTheEngine);
    await page.reload();
    await shows(page, prompt);
    assert.equal(await page.evaluate(() => globalThis.engineStarted), false, 'B3: the cards come first');
    await page.evaluate(() => globalThis.startEngine());
    await page.evaluate(() => app.client.ready);
  }
  assert.equal((await row(a, keys[0])).job.prompt, 'prompt by a');
  assert.equal((await row(b, keys[0])).job.width, 128);
  assert.equal((await row(a, keys[2])), undefined, 'removed here');
  assert.equal((await row(b, keys[2])).job.prompt, 'edited while removed');
  assert.ok(await row(a, newA));
  assert.ok(await row(b, newB));
  await shot(a, 'together-offline');

  await server.start();
  const pages = [a, b, third];
  for (const page of pages) await synced(page);
  await until('all to agree', async () => {
    const [one, ...rest] = await Promise.all(pages.map(async (page) => JSON.stringify([await rows(page), await rows(page, true)])));
    return rest.every((other) => other === one);
  });

  const all = await rows(a);
  const of = (key) => all.find((row) => row.key === key);
  assert.deepEqual([of(keys[0]).job.prompt, of(keys[0]).job.width], ['prompt by a', 128], 'D3');
  assert.ok(of(keys[1]).conflicts.includes('prompt'), 'D4');
  assert.ok(of(keys[1]).conflicts.includes('run'), 'D5');
  const run = [of(keys[1]).job.status, of(keys[1]).job.result, of(keys[1]).job.error, of(keys[1]).job.duration];
  assert.ok(
    [['success', 'result of a', null, 1], ['error', null, 'error of b', 2]].some((whole) => JSON.stringify(whole) === JSON.stringify(run)),
    `D5: ${JSON.stringify(run)}`,
  );
  assert.equal(of(keys[2]).job.prompt, 'edited while removed', 'D6: the edit beats the removal');
  assert.ok(of(keys[2]).keptByEdit, 'D6: and the record says so');
  assert.ok((await rows(a, true)).some((row) => row.key === keys[3]), 'D6: in the bin');
  assert.deepEqual([of(newA).job.id, of(newB).job.id].sort(), [labelA, `${labelA}-2`], 'D7: both are kept, one shows another label');

  await until('the file to agree', async () => {
    const file = await server.read();
    return JSON.stringify(file.jobs.map((job) => [job.id, job.prompt]).sort()) === JSON.stringify(all.map(({ job }) => [job.id, job.prompt]).sort());
  });
  await a.bringToFront();
  await shows(a, 'Edited apart');
  await shot(a, 'together-again');
});
