// The client's package in a real Chromium, against the real server: a page without a framework, on another
// origin that the server allows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startSite } from './client/site.mjs';
import { startBrowser, startServer, until } from './harness.mjs';

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A site, a server that allows it, a browser, and the address that brings them together. */
async function stage(t, query = '') {
  const site = await startSite(t);
  const server = await startServer(t, { args: ['--allow-origin', site] });
  const browser = await startBrowser(t);
  const url = () => `${site}/?server=${encodeURIComponent(server.url.replace(/\/$/, ''))}${query}`;
  return { site, server, browser, url };
}

/** Opens a tab and waits until the replica is loaded. */
async function tab(browser, url) {
  const page = await browser.open(url);
  await page.evaluate(() => client.ready);
  return page;
}

const insert = (page, record) => page.evaluate((it) => client.jobs.insert(it), record);
const status = (page) => page.evaluate(() => client.status.get());
const prompts = (page) =>
  page.evaluate(async () => (await client.jobs.query({ sort: 'created' })).rows.map(({ job }) => job.prompt));
const online = (page) =>
  until('the client to be online and synced', async () => {
    const now = await status(page);
    if (!now.serverHasIt) throw new Error(JSON.stringify(now));
    return true;
  });

test('b2_two_tabs_and_another_profile_see_each_others_edits', async (t) => {
  const { server, browser, url } = await stage(t);
  const other = await startBrowser(t);
  const [one, two, far] = [await tab(browser, url()), await tab(browser, url()), await tab(other, url())];
  await one.evaluate(() => {
    globalThis.pages = [];
    client.jobs.subscribe({ limit: 10 }, (page) => pages.push(page.rows.map(({ job }) => job.prompt)));
  });
  const row = await insert(one, { prompt: 'pixel dragon', width: 64, height: 64 });
  assert.equal(row.job.id, 'job-1');
  await until('the other tab to see it', async () => (await prompts(two)).includes('pixel dragon'));
  await until('the other profile to see it', async () => (await prompts(far)).includes('pixel dragon'));
  await far.evaluate((key) => client.jobs.change(key, { prompt: 'pixel wyvern' }), row.key);
  await two.evaluate((key) => client.jobs.change(key, { width: 32 }), row.key);
  for (const page of [one, two, far]) {
    await until('both edits everywhere', async () => {
      const { job } = await page.evaluate((key) => client.jobs.get(key), row.key);
      return job.prompt === 'pixel wyvern' && job.width === 32;
    });
  }
  await until('the window to follow', () => one.evaluate(() => pages.at(-1)?.[0] === 'pixel wyvern'));
  await until('the file to say so', async () => {
    const [job] = (await server.read()).jobs;
    return job?.prompt === 'pixel wyvern' && job.width === 32;
  });
  await until('three peers to know of each other', async () => (await status(one)).peers === 2);
  for (const page of [one, two, far]) assert.deepEqual(page.troubles, []);
});

test('b1_offline_edits_survive_a_reload_and_reach_the_server_later', async (t) => {
  const { server, browser, url } = await stage(t);
  const page = await tab(browser, url());
  await insert(page, { prompt: 'made online' });
  await online(page);
  await server.kill();
  await until('the client to notice', async () => (await status(page)).connection !== 'online');
  await insert(page, { prompt: 'made offline' });
  const before = await status(page);
  assert.equal(before.saved, 'saved');
  assert.equal(before.waiting, 1);
  assert.equal(before.serverHasIt, false);
  assert.equal(typeof before.oldestWaitingAt, 'number');
  await page.reload();
  await page.evaluate(() => client.ready);
  assert.deepEqual(await prompts(page), ['made online', 'made offline']);
  const after = await status(page);
  assert.equal(after.waiting, 1, 'still known to wait after a reload');
  assert.equal(after.serverHasIt, false);
  await server.start();
  await online(page);
  assert.equal((await status(page)).waiting, 0);
  await until('the file to have it', async () => (await server.read()).jobs.length === 2);
});

test('b3_the_next_start_shows_rows_and_images_at_once', async (t) => {
  const { server, browser, url } = await stage(t);
  const page = await tab(browser, url());
  await insert(page, { prompt: 'with an image', status: 'success', result: PIXEL });
  await until('the rows to be kept', () =>
    page.evaluate(() => Object.keys(localStorage).some((key) => key.endsWith('/first') && localStorage[key].includes('with an image'))),
  );
  await server.kill();
  await page.reload();
  const first = await page.evaluate(() => firstAtOpen);
  assert.equal(first[0].job.prompt, 'with an image');
  assert.equal(first[0].job.result, PIXEL);
});

test('b8_a_dead_worker_is_replaced_and_nothing_is_lost', async (t) => {
  const { browser, url } = await stage(t);
  const page = await tab(browser, url());
  await insert(page, { prompt: 'before' });
  const [worker] = page.workers();
  const during = page.evaluate(() => Promise.all(Array.from({ length: 20 }, (_, n) => client.jobs.insert({ prompt: `during ${n}` }))));
  await worker.evaluate(() => setTimeout(() => { throw new Error('a trap'); }));
  await during;
  await insert(page, { prompt: 'after' });
  const all = await prompts(page);
  assert.equal(all.length, 22);
  assert.equal(new Set(all).size, 22);
  await until('the notice', () => page.evaluate(() => heard.notice.some(({ code }) => code === 'worker-restarted')));
  await online(page);
});

test('b2_a_browser_killed_right_after_saved_has_lost_nothing', async (t) => {
  const { server, browser, url } = await stage(t);
  let page = await tab(browser, url());
  await online(page);
  await server.kill();
  for (let round = 0; round < 3; round += 1) {
    await insert(page, { prompt: `round ${round}` });
    await browser.kill();
    await browser.start();
    page = await tab(browser, url());
  }
  assert.deepEqual(await prompts(page), ['round 0', 'round 1', 'round 2']);
  assert.equal((await status(page)).waiting, 3);
});

test('b2_folding_keeps_all_and_leaves_little', async (t) => {
  const { browser, url } = await stage(t);
  const page = await tab(browser, url());
  await page.evaluate(async () => {
    for (let n = 0; n < 230; n += 1) await client.jobs.insert({ prompt: `job number ${n}` });
  });
  const chunks = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('/chunk/')).length);
  await until('the chunks to be folded', async () => (await chunks()) < 60);
  await page.reload();
  await page.evaluate(() => client.ready);
  assert.equal(await page.evaluate(async () => (await client.jobs.query()).total), 230);
  assert.equal(await page.evaluate(() => client.jobs.get('nobody-has-this-key')), undefined);
  assert.deepEqual(page.troubles, []);
});

test('b4_without_a_database_it_works_and_says_so', async (t) => {
  const { server, browser, url } = await stage(t, '&worker=/without-database.mjs');
  const page = await tab(browser, url());
  await insert(page, { prompt: 'no database' });
  await online(page);
  assert.ok(await page.evaluate(() => heard.notice.some(({ code, message }) => code === 'degraded' && message.includes('database'))));
  await server.kill();
  await insert(page, { prompt: 'still none' });
  await page.reload();
  await page.evaluate(() => client.ready);
  assert.deepEqual(await prompts(page), ['no database', 'still none']);
});

test('images_travel_by_their_hash_and_are_uploaded', async (t) => {
  const { server, browser, url } = await stage(t);
  const other = await startBrowser(t);
  const page = await tab(browser, url());
  const row = await insert(page, { prompt: 'an image', status: 'success', result: PIXEL });
  assert.match(row.job.result, /^blob:sha256-[0-9a-f]{64}$/);
  const far = await tab(other, url());
  const shown = await until('the image elsewhere', () =>
    far.evaluate(async (blob) => {
      const image = new Image();
      image.src = await client.image(blob);
      await image.decode();
      return image.naturalWidth;
    }, row.job.result),
  );
  assert.equal(shown, 1);
  await until('the file to inline it', async () => (await server.read()).jobs[0]?.result === PIXEL);
  const text = await page.evaluate(() => client.exportJson());
  assert.equal(JSON.parse(text).jobs[0].result, PIXEL);
});
