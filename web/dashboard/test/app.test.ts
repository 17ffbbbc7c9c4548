import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importWords, looksLikeJson } from '../src/app/transfer.ts';
import { createNotices } from '../src/app/notices.ts';
import { createToasts } from '../src/app/toasts.ts';
import { tokenIn } from '../src/app/server.ts';
import { allKeys, stretchAround } from '../src/app/list.ts';
import { otherJob, settle } from '../src/app/settle.ts';
import { DIRECTIONS } from '../src/pure/directions.ts';
import { WINDOW_STEP } from '../src/pure/limits.ts';
import { WHOLE, fromAddress, toAddress } from '../src/pure/query.ts';
import { makeApp, makeRow, until } from './helpers.ts';

const many = (n: number) => Array.from({ length: n }, (_, i) => makeRow(i + 1, i + 1));
const draft = { prompt: 'a knight', width: 64, height: 48, seed: '7' };

test('b3_cached_rows_are_in_the_list_before_anything_is_awaited', () => {
  const { app } = makeApp({ rows: many(3), loadMs: 60_000 });
  assert.equal(app.list.here.peek().keys.length, 3);
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

test('b8_the_window_moves_with_the_screen_and_a_changed_row_changes_only_its_own_signal', async () => {
  const { app, client } = makeApp({ rows: many(400) });
  const { here, total } = app.list;
  await until('the first window', () => total.peek() === 400);
  assert.deepEqual([here.peek().offset, here.peek().keys.length], [0, 2 * WINDOW_STEP]);
  app.list.look(200, 212);
  app.list.look(210, 222); // While the first is on its way: only where it ends matters.
  const wanted = stretchAround(210, 222);
  await until('the window there', () => here.peek().offset === wanted.offset);
  assert.equal(here.peek().keys.length, wanted.limit);
  const inAll = await client.jobs.query({ offset: 210, limit: 1 });
  assert.equal(here.peek().keys[210 - wanted.offset], inAll.rows[0]?.key);

  const { keys } = here.peek();
  const [first, last] = [keys[0] ?? '', keys.at(-1) ?? ''];
  const before = app.list.row(last)?.peek();
  await client.jobs.change(first, { prompt: 'changed' });
  await until('the change', () => app.list.row(first)?.peek().job.prompt === 'changed');
  assert.equal(app.list.row(last)?.peek(), before);
  assert.equal(here.peek().keys, keys);
});

test('a row that is held is up to date wherever the list is', async () => {
  const { app, client } = makeApp({ rows: many(400) });
  await until('the first window', () => app.list.total.peek() === 400);
  const given = app.list.row(app.list.here.peek().keys[0] ?? '')?.peek();
  assert.ok(given);
  const held = app.list.hold(given);
  app.list.look(300, 310);
  await until('the window there', () => app.list.here.peek().offset > 200);
  await client.jobs.change(given.key, { prompt: 'changed far away' });
  await until('the change', () => held.row.peek().job.prompt === 'changed far away');
  held.release();
  app.list.look(200, 210);
  await until('another window', () => app.list.here.peek().offset < 200);
  assert.equal(app.list.row(given.key), undefined, 'it is forgotten');
});

test('d4_settling_is_undone_unless_somebody_changed_it_since', async () => {
  const [apart] = many(1).map((row) => ({ ...row, conflicts: ['prompt'] }));
  assert.ok(apart);
  const { app, client } = makeApp({ rows: [apart] });
  await until('the list', () => app.list.total.peek() === 1);
  const settling = settle(client, app.list.hold(apart).row, app.toasts, app.log);
  const [conflict] = (await until('the sides', () => settling.conflicts.peek())) ?? [];
  assert.ok(conflict?.values[0]);
  const prompt = async () => (await client.jobs.get(apart.key))?.job.prompt;
  await settling.keep(conflict, conflict.values[0]);
  assert.equal(await prompt(), conflict.values[0].value);
  assert.deepEqual(settling.conflicts.peek(), []);
  const undo = app.toasts.list.peek().at(-1)?.action;
  await client.jobs.change(apart.key, { prompt: 'somebody else' });
  undo?.run();
  await until('the reason', () => app.toasts.list.peek().at(-1)?.text.includes('was changed since'));
  assert.equal(await prompt(), 'somebody else');
  await client.jobs.change(apart.key, { prompt: conflict.values[0].value as string });
  undo?.run();
  await until('the way back', () => app.list.row(apart.key)?.peek().job.prompt === apart.job.prompt);
});

test('d4_keeping_both_makes_a_second_job_or_changes_nothing', async () => {
  const [apart] = many(1).map((row) => ({ ...row, conflicts: ['prompt'] }));
  assert.ok(apart);
  const { app, client } = makeApp({ rows: [apart] });
  await until('the list', () => app.list.total.peek() === 1);
  const settling = settle(client, app.list.hold(apart).row, app.toasts, app.log);
  const [conflict] = (await until('the sides', () => settling.conflicts.peek())) ?? [];
  assert.ok(conflict?.values[0]);
  const resolve = client.jobs.resolve;
  client.jobs.resolve = () => Promise.reject(new Error('it has moved'));
  await settling.keepBoth(conflict, conflict.values[0]);
  assert.equal((await client.jobs.query()).total, 1, 'refused: no second job');
  assert.match(app.toasts.list.peek().at(-1)?.text ?? '', /^Not settled: it has moved/);
  assert.ok(settling.moved.peek(), 'what was shown stays until it is asked for');
  client.jobs.resolve = resolve;
  await settling.keepBoth(conflict, conflict.values[0]);
  const { rows } = await client.jobs.query();
  assert.deepEqual(rows.map(({ job }) => job.prompt).sort(), [apart.job.prompt, conflict.values[0].value].sort());
  assert.notEqual(rows[0]?.job.id, rows[1]?.job.id);
});

test('d4_the_second_job_has_no_run_that_is_under_way_and_no_picture_of_other_words', () => {
  const side = (value: unknown) => ({ op: '1', value, device: null, author: null, at: null });
  const [row] = many(1);
  assert.ok(row);
  const { job } = row;
  const at = (field: string) => ({ field, values: [] });
  const words = otherJob(job, at('prompt'), side('an owl'));
  assert.deepEqual([words.prompt, words.status, words.result, words.id], ['an owl', undefined, undefined, undefined]);
  assert.equal(otherJob(job, at('note'), side('x')).status, 'success');
  assert.equal(otherJob({ ...job, status: 'running' }, at('note'), side('x')).status, undefined);
  assert.equal(otherJob(job, at('run'), side({ status: 'error', error: 'no credit' })).error, 'no credit');
  assert.equal(otherJob(job, at('run'), side({ status: 'queued' })).status, undefined);
});

test('b8_what_is_asked_for_covers_the_screen_and_little_more', () => {
  for (const [from, to, offset, limit] of [
    [0, 1, 0, 64],
    [0, 32, 0, 64],
    [0, 33, 0, 96],
    [31, 40, 0, 96],
    [32, 40, 0, 96],
    [64, 80, 32, 96],
    [9_990, 10_000, 9_952, 96],
    [0, 5_000, 0, 512],
  ] as const) {
    assert.deepEqual(stretchAround(from, to), { offset, limit }, `${from} to ${to}`);
  }
});

test('search and status narrow the list; until the answer comes the old one stays', async () => {
  const { app, client } = makeApp({ rows: many(30) });
  const { here, total, row } = app.list;
  await until('the list', () => total.peek() === 30);
  app.view.set({ words: 'knight' });
  assert.equal(here.peek().keys.length, 30);
  await until('the answer', () => (total.peek() ?? 30) < 30);
  assert.ok(here.peek().keys.every((key) => row(key)?.peek().job.prompt.includes('knight')));
  app.view.set({ words: 'status:' });
  await until('the fault', () => app.list.fault.peek());
  assert.deepEqual(app.list.fault.peek(), { message: 'a value is missing', at: 7 });
  assert.ok(here.peek().keys.length > 0, 'what was found before stays');
  const [key = ''] = here.peek().keys;
  await client.jobs.change(key, { prompt: 'a knight, changed' });
  await until('it stays up to date', () => row(key)?.peek().job.prompt === 'a knight, changed');
  await client.jobs.remove(key);
  await until('it goes', () => !here.peek().keys.includes(key));
  assert.ok(app.list.fault.peek(), 'and so does the reason');
  app.view.set({ words: 'nothing is called so' });
  await until('nothing', () => total.peek() === 0);
  assert.equal(app.list.fault.peek(), null);
});

test('q5_what_is_shown_is_in_the_address_and_comes_back_from_it', () => {
  for (const [address, shown] of [
    ['', {}],
    ['#bin', { place: 'bin' }],
    ['?q=status:error+width:%3E64+%22a+b%22', { words: 'status:error width:>64 "a b"' }],
    ['?q=%C3%B6%26%23&status=active&sort=prompt#bin', { words: 'ö&#', status: 'active', sort: 'prompt', place: 'bin' }],
  ] as const) {
    const [, search = '', hash = ''] = /^([^#]*)(#.*)?$/.exec(address) ?? [];
    assert.deepEqual(fromAddress(search, hash), { ...WHOLE, ...shown }, address);
    assert.equal(toAddress({ ...WHOLE, ...shown }), address);
  }
  assert.deepEqual(fromAddress('?status=nonsense&sort=-x&other=1', '#x'), WHOLE);
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
