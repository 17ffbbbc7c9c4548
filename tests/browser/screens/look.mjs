// One state of the page, looked at from every side: pictures of it, axe, its width, its troubles.

import assert from 'node:assert/strict';

import { axe, shot, until } from '../harness.mjs';

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 375, height: 812 };
const VIEWS = [
  { suffix: '', colorScheme: 'light', size: WIDE },
  { suffix: '-dark', colorScheme: 'dark', size: WIDE },
  { suffix: '-375', colorScheme: 'light', size: NARROW },
  { suffix: '-375-dark', colorScheme: 'dark', size: NARROW },
];

/** What Chromium itself writes to the console when nobody listens at the server's port. */
const NO_SERVER = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE/;

/** Opens the dashboard and waits until its replica is loaded. */
export async function dashboard(browser, server) {
  const page = await browser.open(server.url);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.waitForFunction(() => globalThis.app?.client !== undefined);
  await page.evaluate(() => void app.client.ready.then(() => (globalThis.isReady = true)));
  await page.waitForFunction(() => globalThis.isReady);
  await page.waitForFunction(() => document.querySelector('.card:not(.skeleton), .empty'));
  return page;
}

/** Waits until the pill says `words`. */
export const pillSays = (page, words) => page.waitForFunction((words) => document.querySelector('.pill-long').textContent.includes(words), words);

/** Adds jobs by the form, as a person does. */
export async function add(page, prompt, button = 'Add') {
  await page.getByLabel('Prompt').fill(prompt);
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.locator('.card', { hasText: prompt }).first().waitFor();
}

/** Waits until every picture that should be on the screen is. */
async function drawn(page) {
  await until('the pictures on the screen', () =>
    page.evaluate(() => {
      const waiting = [...document.querySelectorAll('.stage .loading')].filter((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      });
      const images = [...document.querySelectorAll('img')];
      return waiting.length === 0 && images.every(({ complete }) => complete);
    }),
  );
}

/**
 * Takes pictures of the page as it is, in light and dark, wide and at 375 px, as `artifacts/<name>….png`.
 * Nothing may scroll sideways, axe may find nothing, and the page may have had no trouble but, with
 * `offline`, that the server is not there.
 */
export async function look(page, name, { offline = false } = {}) {
  for (const { suffix, colorScheme, size } of VIEWS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    await page.evaluate(() => scrollTo(0, 0));
    await drawn(page);
    await shot(page, `screen-${name}${suffix}`);
    if (size === NARROW && (await page.locator('.card').count()) > 0 && (await page.getByRole('dialog').count()) === 0) {
      await page.evaluate(() => document.querySelector('.toolbar').scrollIntoView()); // The cards are below.
      await drawn(page);
      await shot(page, `screen-${name}${suffix}-cards`);
    }
    assert.deepEqual(await axe(page), [], `axe, ${name}${suffix}`);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(excess, 0, `${name}${suffix} scrolls sideways, in CSS pixels`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
  assert.deepEqual(page.troubles.filter((trouble) => !(offline && NO_SERVER.test(trouble))), [], `troubles, ${name}`);
}
