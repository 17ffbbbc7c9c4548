// What the page showed as saved here survives a browser that is killed whole a moment later (B2).
//
// The server is stopped before the first edit, so what is found afterwards can come from nowhere but
// the browser's own storage, and the page that finds it from nowhere but its cache.
// `PLAINSYNC_BROWSER_KILLS` says how often each browser is killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { startBrowser, startServer, until } from './harness.mjs';

const KILLS = Number(process.env.PLAINSYNC_BROWSER_KILLS ?? 4);

/** From "saved here" to the kill, in milliseconds: part of what is shown, not a wait for something. */
const KILL_AFTER_MS = 100;

/** Opens the page and waits until its replica is loaded from this browser's storage. */
async function dashboard(browser, server) {
  const page = await browser.open(server.url);
  await page.waitForFunction(() => globalThis.app?.client !== undefined);
  await page.evaluate(() => void app.client.ready.then(() => (globalThis.isReady = true)));
  await page.waitForFunction(() => globalThis.isReady);
  return page;
}

/** Waits until the page says that the server has everything on disk. */
const serverHasIt = (page) => page.waitForFunction(() => /server has it/.test(document.querySelector('.pill-long').textContent));

/** After one visit everything works offline: waits until that visit is complete. */
async function visit(browser, server) {
  const page = await dashboard(browser, server);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await serverHasIt(page);
  return page;
}

/** Adds a job by the form, as a person does. */
async function add(page, prompt) {
  await page.getByLabel('Prompt').fill(prompt);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('.card', { hasText: prompt }).waitFor();
}

/** Removes a job by its card. */
async function remove(page, prompt) {
  const card = page.locator('.card', { hasText: prompt });
  await card.getByRole('button', { name: /^Remove/ }).click();
  await card.waitFor({ state: 'detached' });
}

/** Kills the browser 100 ms after its page says that all `edits` made without the server are saved here. */
async function killWhenSaved(browser, page, edits) {
  await page.waitForFunction((said) => document.querySelector('.pill-long').textContent.startsWith(said), `Saved here · ${edits} waiting`);
  await pause(KILL_AFTER_MS);
  await browser.kill();
}

/** The prompts of what is listed and of what is in the bin, as the page's own replica has them. */
const held = (page) =>
  page.evaluate(async () => {
    const prompts = async (bin) => (await app.client.jobs.query({ bin, sort: 'created', limit: 1000 })).rows.map(({ job }) => job.prompt);
    return { jobs: (await prompts(false)).sort(), bin: (await prompts(true)).sort() };
  });

/** The same of the file on disk, which shows no bin. */
const filed = async (server) => (await server.read()).jobs.map(({ prompt }) => prompt).sort();

test('b2_what_is_saved_here_survives_every_kill_of_the_browser', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  let page = await visit(browser, server);
  await server.stop();

  const expected = { jobs: [], bin: [] };
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const prompt = `before kill ${String(kill).padStart(3, '0')}`;
    await add(page, prompt);
    expected.jobs.push(prompt);
    if (kill % 3 === 0) {
      const gone = expected.jobs.shift();
      await remove(page, gone);
      expected.bin.push(gone);
    }
    await killWhenSaved(browser, page, kill + expected.bin.length);
    await browser.start();
    page = await dashboard(browser, server);
    assert.deepEqual(await held(page), expected, `offline, after kill ${kill}`);
    await page.locator('.card', { hasText: prompt }).waitFor();
  }
  t.diagnostic(`${KILLS} kills of one profile, nothing lost`);

  await server.start();
  await serverHasIt(page);
  await until('the file to have every job', async () => JSON.stringify(await filed(server)) === JSON.stringify(expected.jobs));
  assert.deepEqual(await held(page), expected, 'after the server came back');
});

/** A young profile is the hard one: nothing of its localStorage is on the disk yet. */
test('b2_a_browser_killed_during_its_first_visit_keeps_what_was_saved_here', async (t) => {
  const server = await startServer(t);
  const rounds = Math.max(1, Math.ceil(KILLS / 4));
  const expected = [];
  for (let round = 1; round <= rounds; round += 1) {
    const browser = await startBrowser(t);
    const page = await visit(browser, server);
    await server.stop();
    const prompt = `on first visit ${String(round).padStart(3, '0')}`;
    await add(page, prompt);
    await killWhenSaved(browser, page, 1);

    await browser.start();
    const again = await dashboard(browser, server);
    expected.push(prompt);
    assert.deepEqual((await held(again)).jobs, expected, `offline, first visit ${round}`);

    await server.start();
    await serverHasIt(again);
    await until('the file to have every job', async () => JSON.stringify(await filed(server)) === JSON.stringify(expected));
    await browser.kill();
  }
  t.diagnostic(`${rounds} young profiles killed, nothing lost`);
});
