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
export { shot, startBrowser, startCopy } from './harness/chromium.mjs';
export { holdTheEngine } from './harness/engine.mjs';
export { startServer } from './harness/server.mjs';
export { PATIENCE_MS, until } from './harness/wait.mjs';
