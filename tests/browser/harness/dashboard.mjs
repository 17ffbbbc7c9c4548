// The dashboard's page, and its client asked from within it.

/** The dashboard's page once its local replica is loaded. */
export async function dashboard(browser, server) {
  const page = await browser.open(server.url);
  await page.waitForFunction(() => globalThis.app?.client !== undefined);
  await page.evaluate(() => app.client.ready);
  return page;
}

export const insert = (page, record) => page.evaluate(async (record) => (await app.client.jobs.insert(record)).key, record);
export const change = (page, key, set) => page.evaluate(([key, set]) => app.client.jobs.change(key, set), [key, set]);
export const rows = (page, bin = false) => page.evaluate(async (bin) => (await app.client.jobs.query({ bin, limit: 1000 })).rows, bin);
export const row = async (page, key) => (await rows(page)).find((row) => row.key === key);
export const status = (page) => page.evaluate(() => app.client.status.get());

/** Waits until a card shows `text`. */
export const shows = (page, text) => page.locator('.card', { hasText: text }).first().waitFor();
