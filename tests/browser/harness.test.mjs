// The harness itself: a browser that survives being killed, and an axe that sees.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { axe, startBrowser, until } from './harness.mjs';

/** Serves `html` under the policy that the real pages have, and returns its address. */
async function page(t, html) {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', "default-src 'self'; script-src 'self'; style-src 'self'");
    response.end(html);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/`;
}

test('a killed browser starts again on its profile and still has what IndexedDB committed', async (t) => {
  const url = await page(t, '<!doctype html><html lang="en"><title>kept</title><h1>kept</h1>');
  const browser = await startBrowser(t);
  const first = await browser.open(url);
  await first.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const open = indexedDB.open('harness', 1);
        open.onupgradeneeded = () => open.result.createObjectStore('notes');
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const write = open.result.transaction('notes', 'readwrite', { durability: 'strict' });
          write.objectStore('notes').put('still here', 1);
          write.oncomplete = resolve;
        };
      }),
  );
  await browser.kill();
  await browser.start();
  const second = await browser.open(url);
  const note = await second.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const open = indexedDB.open('harness', 1);
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const read = open.result.transaction('notes').objectStore('notes').get(1);
          read.onsuccess = () => resolve(read.result);
        };
      }),
  );
  assert.equal(note, 'still here');
});

test('axe runs under the policy, passes a good page and names what is wrong with a bad one', async (t) => {
  const browser = await startBrowser(t);
  const good = await browser.open(await page(t, '<!doctype html><html lang="en"><title>good</title><main><h1>good</h1></main>'));
  assert.deepEqual(await axe(good), []);
  const bad = await browser.open(await page(t, '<!doctype html><html lang="en"><title>bad</title><main><h1>bad</h1><button></button></main>'));
  assert.match((await axe(bad)).join('\n'), /button-name/);
});

test('until tells what it waited for and what it last saw', async () => {
  await assert.rejects(until('the moon', () => ({ phase: 'new' }).full, { within: 50 }), /waited 50 ms for the moon/);
});
