// The page that a newcomer sees after `cargo xtask serve`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBrowser, startServer, until } from './harness.mjs';

test('the dashboard loads from the server, without an error', async (t) => {
  const server = await startServer(t);
  const browser = await startBrowser(t);
  const page = await browser.open(server.url);
  await until('the heading', () => page.locator('h1').first().isVisible());
  assert.match(await page.title(), /PixelLab Command Center/);
  assert.deepEqual(page.troubles, []);
});
