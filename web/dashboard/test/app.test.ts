import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importWords, looksLikeJson } from '../src/app/transfer.ts';
import { createNotices } from '../src/app/notices.ts';
import { createToasts } from '../src/app/toasts.ts';
import { tokenIn } from '../src/app/server.ts';
import { allKeys } from '../src/app/list.ts';
import { DIRECTIONS } from '../src/pure/directions.ts';
import { PAGE_ROWS } from '../src/pure/limits.ts';
import { makeApp, makeRow, until } from './helpers.ts';

const many = (n: number) => Array.from({ length: n }, (_, i) => makeRow(i + 1, i + 1));
const draft = { prompt: 'a knight', width: 64, height: 48, seed: '7' };

test('b3_cached_rows_are_in_the_list_before_anything_is_awaited', () => {
  const { app } = makeApp({ rows: many(3), loadMs: 60_000 });
  assert.equal(app.list.keys.peek().length, 3);
  assert.equal(app.list.total.peek(), null);
});

test('add 3 keeps the seed on each and runs all', async () => {
  const { app } = makeApp();
  const rows = await app.actions.add(draft, 3);
  assert.deepEqual(
    rows.map(({ job }) => [job.prompt, job.width, job.height, job.seed, job.status]),
    Array(3).fill(['a knight', 64, 48, '7', 'queued']),
  );
  assert.equal(new Set(rows.map(({ key }) => key)).size, 3);
});

test('a job added before any server is known is kept at once and ordered after', async () => {
  const { app, client } = makeApp();
  client.status.set({ ...client.status.get(), serverId: null });
  const asked: (boolean | undefined)[] = [];
  const { insert } = client.jobs;
  client.jobs.insert = (record, options) => {
    asked.push(options?.run);
    return insert(record, options);
  };
  const [row] = await app.actions.add(draft);
  assert.deepEqual(asked, [false]);
  assert.notEqual((await client.jobs.get(row?.key ?? ''))?.job.status, 'idle');
});

test('rotating to all eight makes eight jobs that name their source by key', async () => {
  const { app, client } = makeApp({ rows: many(1) });
  await client.ready;
  const [source] = (await client.jobs.query()).rows;
  assert.ok(source);
  await app.actions.rotate({
    row: source,
    picture: 'blob:sha256-00',
    from: 'south',
    to: DIRECTIONS.map(({ name }) => name),
  });
  const turned = (await client.jobs.query()).rows.filter(({ job }) => job.isRotation === true);
  assert.equal(turned.length, 8);
  assert.deepEqual(
    new Set(turned.map(({ job }) => job.rotationData?.toDirection)),
    new Set(DIRECTIONS.map(({ name }) => name)),
  );
  for (const { job } of turned)
    assert.deepEqual(
      [job.rotationData?.sourceJobId, job.rotationData?.imageDataUrl, job.rotationData?.fromDirection, job.width],
      [source.key, 'blob:sha256-00', 'south', source.job.width],
    );
});

test('remove and clear offer an undo that brings all back', async () => {
  const { app, client } = makeApp({ rows: many(5) });
  await client.ready;
  const [row] = (await client.jobs.query()).rows;
  assert.ok(row);
  await app.actions.remove(row);
  assert.deepEqual([client.stats.get().total, client.stats.get().bin], [4, 1]);
  app.toasts.list.peek().at(-1)?.action?.run();
  await until('the undo', () => client.stats.get().total === 5);
  await app.actions.clear();
  assert.equal(client.stats.get().total, 0);
  app.toasts.list.peek().at(-1)?.action?.run();
  await until('the undo', () => client.stats.get().total === 5);
});

test('a failed action is a toast with the reason', async () => {
  const { app, client } = makeApp();
  client.jobs.insert = () => Promise.reject(new Error('the disk is full'));
  assert.deepEqual(await app.actions.add(draft), []);
  assert.equal(app.toasts.list.peek()[0]?.text, 'Not added: the disk is full');
});

test('the list grows by windows and a changed row changes only its own signal', async () => {
  const { app, client } = makeApp({ rows: many(200) });
  await until('the first window', () => app.list.total.peek() === 200);
  assert.equal(app.list.keys.peek().length, PAGE_ROWS);
  app.list.more();
  await until('the second window', () => app.list.keys.peek().length === 2 * PAGE_ROWS);
  const keys = app.list.keys.peek();
  const [first, last] = [keys[0] ?? '', keys.at(-1) ?? ''];
  const before = app.list.row(last)?.peek();
  await client.jobs.change(first, { prompt: 'changed' });
  await until('the change', () => app.list.row(first)?.peek().job.prompt === 'changed');
  assert.equal(app.list.row(last)?.peek(), before);
  assert.equal(app.list.keys.peek(), keys);
});

test('search and status narrow the list; until the answer comes the old one stays', async () => {
  const { app } = makeApp({ rows: many(30) });
  await until('the list', () => app.list.total.peek() === 30);
  app.view.set({ words: 'knight' });
  assert.equal(app.list.keys.peek().length, 30);
  const found = await until('the answer', () => (app.list.total.peek() ?? 30) < 30 && app.list.keys.peek());
  assert.ok(found.every((key) => app.list.row(key)?.peek().job.prompt.includes('knight')));
  app.view.set({ status: 'error' });
  await until('nothing', () => app.list.total.peek() === 0);
});

test('all keys of the bin are read page by page', async () => {
  const { client } = makeApp({ rows: many(25) });
  await client.jobs.clear();
  assert.equal((await allKeys(client, { place: 'bin', words: '', status: 'all', sort: '-created' }, 10)).length, 25);
});

test('pictures that were out of reach are asked for again when the server is back', async () => {
  const { app, client } = makeApp({ connection: 'offline' });
  let asked = 0;
  client.image = async () => {
    asked++;
    throw new Error('out of reach');
  };
  app.images.want('blob:sha256-00');
  await until('the reason', () => app.images.of('blob:sha256-00').peek().state === 'absent');
  app.images.want('blob:sha256-00');
  assert.equal(asked, 1);
  client.status.set({ ...client.status.get(), connection: 'online' });
  assert.equal(asked, 2);
});

test('f7_an_unreadable_file_is_a_banner_until_it_is_in_order_or_put_away', () => {
  const notices = createNotices();
  const broken = {
    code: 'file',
    level: 'warning',
    message: 'm',
    data: { state: 'unparsable', detail: 'line 4, column 2' },
  } as const;
  notices.hear(broken);
  assert.match(notices.list.peek()[0]?.text ?? '', /^line 4, column 2\. It is left as it is/);
  assert.equal(notices.list.peek()[0]?.level, 'error');
  notices.hear(broken);
  assert.equal(notices.list.peek().length, 1);
  notices.dismiss('file');
  notices.hear(broken);
  assert.equal(notices.list.peek().length, 0);
  notices.file({ state: 'missing', detail: null });
  assert.equal(notices.list.peek().length, 1);
  notices.file({ state: 'ok', detail: null });
  assert.equal(notices.list.peek().length, 0);
});

test('toasts: at most three, each dismissed alone', () => {
  const toasts = createToasts();
  for (const text of ['a', 'b', 'c', 'd']) toasts.show({ text, tone: 'plain', sticky: true });
  assert.deepEqual(
    toasts.list.peek().map(({ text }) => text),
    ['b', 'c', 'd'],
  );
  toasts.dismiss(toasts.list.peek()[1]?.id ?? 0);
  assert.deepEqual(
    toasts.list.peek().map(({ text }) => text),
    ['b', 'd'],
  );
});

test('imports say what they did', async () => {
  assert.equal(importWords({ added: 5, changed: 2, ignored: 993 }), '5 jobs added, 2 changed, 993 already here');
  assert.equal(importWords({ added: 0, changed: 0, ignored: 0 }), 'nothing new');
  const { app } = makeApp();
  assert.equal(await app.transfer.importText('{"jobs":[{"id":"job-1"}]}', 'a.json'), null);
  assert.match((await app.transfer.importText('{', 'b.json')) ?? '', /JSON/);
  assert.deepEqual(
    app.toasts.list.peek().map(({ tone }) => tone),
    ['good', 'bad'],
  );
  assert.ok(looksLikeJson(' {"jobs": []}\n') && !looksLikeJson('a knight [red]') && !looksLikeJson('{half'));
});

test('t4_a_token_is_taken_from_the_fragment', () => {
  assert.equal(tokenIn('#token=abc%2Fd'), 'abc/d');
  for (const hash of ['', '#bin', '#token=']) assert.equal(tokenIn(hash), null);
});
