// What the browser tests are written with.
//
//   import { test } from 'node:test';
//   import { startServer, startBrowser, until, shot, axe } from './harness.mjs';
//
//   test('b5_the_pill_tells_what_waits', async (t) => {
//     const server = await startServer(t);
//     const browser = await startBrowser(t);
//     const page = await browser.open(server.url);
//     await server.kill();
//     …
//   });
//
// Servers and browsers end with the test that started them, whatever happens in it.

export { axe } from './harness/axe.mjs';
export { shot, startBrowser } from './harness/chromium.mjs';
export { startServer } from './harness/server.mjs';
export { PATIENCE_MS, until } from './harness/wait.mjs';
