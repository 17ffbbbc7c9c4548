/**
 * Takes pictures of the page in its states, and runs axe on each: `npm run build:fake && npm run shots [name…]`.
 *
 * Writes to `shots/`. Uses the built fake under the headers of the real server, so a breach of its
 * content security policy shows up here too.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
const folder = new URL('../shots/', import.meta.url).pathname;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const open = (label) => async (page) => page.getByRole('button', { name: label }).first().click();
const SHOTS = [
  ['few', WIDE],
  ['few-dark', WIDE, { dark: true }],
  ['few-narrow', NARROW],
  ['few-narrow-dark', NARROW, { dark: true }],
  ['empty', WIDE],
  ['empty-narrow', NARROW],
  ['running', WIDE],
  ['thousand', WIDE],
  ['thousand-dark', WIDE, { dark: true }],
  ['offline', WIDE],
  ['offline-narrow', NARROW],
  ['error', WIDE],
  ['error-dark', WIDE, { dark: true }],
  ['conflict', WIDE],
  ['file', WIDE],
  ['file-dark-narrow', NARROW, { dark: true }],
  ['refused', WIDE],
  ['failed', WIDE],
  ['loading', WIDE],
  ['few-rotate', WIDE, { act: open(/^Rotate job/) }],
  ['few-rotate-narrow', NARROW, { act: open(/^Rotate job/) }],
  ['conflict-details', WIDE, { act: open(/^Edited apart/) }],
  ['error-details-dark', WIDE, { dark: true, act: open(/^Details of/) }],
  ['few-details-narrow', NARROW, { act: open(/^Details of job-1[0-2]/) }],
  ['few-clear', WIDE, { act: open('Clear') }],
  ['few-import', WIDE, { act: open('More'), then: open('Import…') }],
  ['few-shortcuts', WIDE, { act: (page) => page.keyboard.press('?') }],
  ['few-status', WIDE, { act: open(/Saved here|Synced/) }],
  ['few-removed', WIDE, { act: open(/^Remove job/) }],
  ['few-invalid', WIDE, { act: open(/^Add$/) }],
  ['few-bin', WIDE, { act: open(/^Remove job/), then: (page) => page.keyboard.press('b') }],
  ['few-bin-empty', WIDE, { act: (page) => page.keyboard.press('b') }],
];

mkdirSync(folder, { recursive: true });
const server = await preview({
  mode: 'fake',
  root: new URL('..', import.meta.url).pathname,
  configFile: new URL('../vite.config.ts', import.meta.url).pathname,
  build: { outDir: 'dist-fake' },
  preview: { port: 0, host: '127.0.0.1' },
});
const origin = server.resolvedUrls?.local[0] ?? '';
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const wanted = process.argv.slice(2);
let faults = 0;
for (const [name, viewport, { dark = false, act, then } = {}] of SHOTS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const context = await browser.newContext({
    viewport,
    colorScheme: dark ? 'dark' : 'light',
    serviceWorkers: 'block',
    bypassCSP: false,
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) console.log(`${name}: ${message.text()}`);
  });
  page.on('pageerror', (error) => console.log(`${name}: ${error.stack}`));
  await page.goto(`${origin}?scenario=${name.split('-')[0]}`);
  if (!name.startsWith('loading'))
    await page.waitForFunction(() => document.querySelector('.card:not(.skeleton), .empty'));
  await page.waitForTimeout(500);
  await act?.(page);
  await page.waitForTimeout(200);
  await then?.(page);
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${folder}${name}.png` });
  const session = await context.newCDPSession(page);
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `${axe}; axe.run({ resultTypes: ['violations', 'incomplete'] }).then(({ violations }) => violations.map((v) => v.id + ': ' + v.help + ' — ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')))`,
    awaitPromise: true,
    returnByValue: true,
  });
  const found = result.value ?? [exceptionDetails?.exception?.description ?? 'axe did not run'];
  faults += found.length;
  console.log(`${name}: axe ${found.length === 0 ? 'finds nothing' : `\n  ${found.join('\n  ')}`}`);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) console.log(`${name}: the page is ${overflow}px too wide`);
  await context.close();
}
await browser.close();
await server.close();
process.exitCode = faults > 0 ? 1 : 0;
