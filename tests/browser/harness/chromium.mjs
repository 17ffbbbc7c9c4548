// A real Chromium with a profile of its own, which can be killed whole and started again.
//
// `CHROMIUM` names the browser; `cargo xtask test` sets it. By hand, one on the PATH is taken.

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { forget, isAlive, kill, remember } from './processes.mjs';
import { until } from './wait.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const FLAGS = [
  '--no-sandbox', // CI runs as root, where Chromium has no sandbox.
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const artifacts = fileURLToPath(new URL('../../../artifacts/', import.meta.url));

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) throw new Error('no Chromium was found: install it, or set CHROMIUM to the path of one');
  return found;
}

/**
 * Starts a browser with an empty profile. It ends with the test `t`, and its profile is removed.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').BrowserContextOptions} [options] for example `viewport` or `colorScheme`
 */
export async function startBrowser(t, options = {}) {
  return start(t, await newProfile(), options);
}

/**
 * Starts a browser on a copy of the profile of `original`, which was closed. It ends with the test `t`.
 *
 * @param {import('node:test').TestContext} t
 * @param {Chromium} original
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function startCopy(t, original, options = {}) {
  if (original.isRunning) throw new Error('a browser writes into its profile: close it before that is copied');
  const profile = await newProfile();
  await cp(original.profile, profile, { recursive: true, verbatimSymlinks: true });
  return start(t, profile, options);
}

const newProfile = () => mkdtemp(join(tmpdir(), 'plainsync-chromium-'));

async function start(t, profile, options) {
  const browser = new Chromium(profile, options);
  t.after(async () => {
    await browser.kill();
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  await browser.start();
  return browser;
}

/** One browser profile; its browser may be killed and started again with what the disk kept. */
class Chromium {
  #profile;
  #options;
  #group = 0;

  constructor(profile, options) {
    this.#profile = profile;
    this.#options = options;
    /** Playwright's context; another one after each start. @type {import('playwright-core').BrowserContext} */
    this.context = undefined;
  }

  /** Its folder. */
  get profile() {
    return this.#profile;
  }

  get isRunning() {
    return this.#group !== 0;
  }

  /** Starts the browser on its profile. */
  async start() {
    this.context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: findChromium(),
      headless: true,
      args: FLAGS,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      viewport: { width: 1280, height: 900 },
      ...this.#options,
    });
    // Playwright starts the browser as the leader of a process group, so its id names them all.
    const session = await this.context.browser().newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    this.#group = -processInfo.find(({ type }) => type === 'browser').id;
    remember(this.#group);
    await session.detach();
  }

  /**
   * Opens a tab at `url`. Errors of the page and of its console are kept in `page.troubles`.
   *
   * @returns {Promise<import('playwright-core').Page & { troubles: string[] }>}
   */
  async open(url) {
    const page = await this.context.newPage();
    page.troubles = [];
    page.on('pageerror', (error) => page.troubles.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && page.troubles.push(message.text()));
    await page.goto(url);
    return page;
  }

  /** Ends the browser and every process of it at once, as a power cut would, as far as the page can tell. */
  async kill() {
    const group = this.#group;
    if (!group) return;
    this.#group = 0;
    const closed = new Promise((resolve) => this.context.once('close', resolve));
    kill(group, 'SIGKILL');
    await until('every process of the browser to end', () => !isAlive(group));
    forget(group);
    await closed;
  }

  /** Closes the browser as a person does. */
  async close() {
    const group = this.#group;
    if (!group) return;
    this.#group = 0;
    await this.context.close();
    await until('every process of the browser to end', () => !isAlive(group));
    forget(group);
  }
}

/** Keeps a picture of the page as `artifacts/<name>.png` and returns its path. */
export async function shot(page, name, options = {}) {
  await mkdir(artifacts, { recursive: true });
  const path = join(artifacts, `${name}.png`);
  await page.screenshot({ path, ...options });
  return path;
}
