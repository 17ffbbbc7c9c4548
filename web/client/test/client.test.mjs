// The page's half: what it writes, hands over and promises, against a worker and a browser made of objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openWith } from '../dist/client.js';
import { DOCUMENT, fakeBrowser, statsOf, until } from './fakes.mjs';

const DRAGON = { prompt: 'pixel dragon', width: 64, height: 64 };

/** Opens in `tab` and closes when the test ends. */
function opened(t, tab, options = {}) {
  const client = openWith(options, tab.env);
  t.after(() => client.close());
  return client;
}

/** One visit that ends well: the browser knows its server afterwards. */
async function visit(browser) {
  const client = openWith({}, browser.tab().env);
  await client.ready;
  await client.close();
}

test('b8_an_edit_is_in_local_storage_before_the_worker_hears_of_it', async (t) => {
  const browser = fakeBrowser();
  const seen = [];
  const tab = browser.tab({
    onMessage: (_, message) => {
      if (message.type !== 'edits') return;
      for (const { id } of message.edits) seen.push(browser.storage.getItem(`plainsync/${DOCUMENT}/edit/${id}`));
    },
  });
  const client = opened(t, tab);
  await client.ready;
  const row = await client.jobs.insert(DRAGON);
  assert.equal(row.job.prompt, 'pixel dragon');
  assert.match(row.key, /^[A-Za-z0-9_-]{16,40}$/);
  const { id, at, edit } = JSON.parse(seen[0]);
  assert.ok(id.length >= 16);
  assert.equal(at, 1_700_000_000_000);
  assert.deepEqual(edit, { type: 'insert', key: row.key, record: DRAGON });
});

test('b2_a_committed_edit_is_replaced_by_its_chunk', async (t) => {
  const browser = fakeBrowser();
  const client = opened(t, browser.tab());
  await client.jobs.insert(DRAGON);
  assert.deepEqual(browser.storage.keys('/edit/'), []);
  assert.equal(browser.storage.keys('/chunk/').length, 1);
  assert.equal(client.status.get().saved, 'saved');
});

test('b5_saved_is_said_only_after_the_commit', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab({ holdEdits: true });
  const client = opened(t, tab);
  await client.ready;
  const states = [];
  client.status.subscribe(({ saved, waiting, serverHasIt }) => states.push([saved, waiting, serverHasIt]));
  const insert = client.jobs.insert(DRAGON);
  assert.deepEqual(states.at(-1), ['saving', 1, false]);
  assert.equal(client.status.get().oldestWaitingAt, 1_700_000_000_000);
  tab.worker.apply(tab.worker.received.at(-1).edits);
  await insert;
  assert.deepEqual(states.at(-1), ['saved', 0, true]);
});

test('b5_a_failed_commit_says_failed_and_keeps_the_edit', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab({ holdEdits: true });
  const client = opened(t, tab);
  await client.ready;
  const insert = client.jobs.insert(DRAGON);
  tab.worker.say({ type: 'storage-failed', message: 'The disk is full.' });
  await until(() => client.status.get().saved === 'failed', 'failed');
  assert.equal(client.status.get().detail, 'The disk is full.');
  assert.equal(browser.storage.keys('/edit/').length, 1);
  tab.worker.apply(tab.worker.received.at(-1).edits);
  await insert;
  assert.equal(client.status.get().saved, 'saved');
});

test('b8_a_dead_workers_edits_are_handed_to_the_next_one_once', async (t) => {
  const browser = fakeBrowser();
  let first = true;
  const tab = browser.tab({
    onMessage: (worker, message) => {
      if (message.type !== 'edits' || !first) return;
      // Committed, and dead before it could say so.
      first = false;
      worker.apply(message.edits);
      worker.terminated = false;
      worker.onmessage({ data: { json: JSON.stringify({ type: 'dead', message: 'unreachable' }) } });
    },
  });
  const notices = [];
  const client = opened(t, tab);
  client.on('notice', ({ code }) => notices.push(code));
  await client.ready;
  const row = await client.jobs.insert(DRAGON);
  assert.equal(tab.workers.length, 2);
  assert.ok(tab.workers[0].terminated);
  assert.equal(browser.database.rows.size, 1);
  assert.equal((await client.jobs.query()).rows[0].key, row.key);
  assert.ok(notices.includes('worker-restarted'));
});

test('b8_questions_and_windows_survive_a_dead_worker', async (t) => {
  const browser = fakeBrowser();
  let dead = false;
  const tab = browser.tab({
    answers: {
      query: (worker, call) => {
        if (!dead) {
          dead = true;
          worker.die();
        } else {
          worker.say({ type: 'answer', call, value: { rows: [], total: 7 } });
        }
      },
    },
  });
  const client = opened(t, tab);
  await client.ready;
  client.jobs.subscribe({ q: 'dragon' }, () => {});
  assert.equal((await client.jobs.query({ q: 'knight' })).total, 7);
  const again = tab.workers[1].received.find(({ type }) => type === 'subscribe');
  assert.deepEqual(again.query, { q: 'dragon' });
});

test('b8_a_question_that_kills_every_worker_is_given_up', async (t) => {
  const browser = fakeBrowser();
  const client = opened(t, browser.tab({ answers: { export: (worker) => worker.die('out of memory') } }));
  await client.ready;
  await assert.rejects(client.exportJson(), /engine failed on this request: out of memory/);
});

test('b8_an_edit_that_kills_every_worker_is_kept_aside_and_the_others_pass', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab({
    holdEdits: true,
    onMessage: (worker, message) => {
      if (message.type !== 'edits') return;
      if (message.edits.some(({ edit }) => edit.record?.prompt === 'poison')) worker.die();
      else worker.apply(message.edits);
    },
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const client = openWith({}, tab.env);
  await client.ready;
  const bad = client.jobs.insert({ ...DRAGON, prompt: 'poison' }).catch((error) => error.message);
  const good = client.jobs.insert(DRAGON);
  for (let round = 0; round < 40; round += 1) {
    t.mock.timers.tick(30_000);
    await new Promise((go) => setImmediate(go));
  }
  assert.match(await bad, /kept aside/);
  await good;
  assert.equal(browser.storage.keys('/aside/').length, 1);
  assert.equal(browser.database.rows.size, 1);
  t.mock.timers.reset();
  await client.close();
});

test('b2_a_closed_tabs_edits_are_taken_in_by_the_next_load', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab({ holdEdits: true });
  const client = openWith({}, tab.env);
  await client.ready;
  client.jobs.insert(DRAGON).catch(() => {});
  // The tab is killed: its locks go, nothing else happens.
  browser.locks.kill(browser.locks && (await browser.locks.query()).held[0].name);
  const next = opened(t, browser.tab());
  assert.equal(next.status.get().saved, 'saving');
  assert.equal(next.status.get().waiting, 1);
  await next.ready;
  assert.equal(browser.database.rows.size, 1);
  assert.deepEqual(browser.storage.keys('/edit/'), []);
  assert.equal(next.status.get().waiting, 0);
});

test('b2_a_living_tabs_edits_are_left_to_it', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab({ holdEdits: true });
  const client = openWith({}, tab.env);
  await client.ready;
  client.jobs.insert(DRAGON).catch(() => {});
  const other = browser.tab();
  await opened(t, other).ready;
  assert.equal(other.worker.received.filter(({ type }) => type === 'edits').length, 0);
  assert.equal(browser.storage.keys('/edit/').length, 1);
});

test('b2_chunks_that_the_database_lost_are_handed_back', async (t) => {
  const browser = fakeBrowser();
  browser.storage.setItem(`plainsync/${DOCUMENT}/chunk/abc`, 'text of the chunk');
  await opened(t, browser.tab()).ready;
  assert.equal(browser.database.chunks.get('abc'), 'text of the chunk');
});

test('b2_folding_deletes_exactly_what_was_folded', async (t) => {
  const browser = fakeBrowser();
  const into = { hash: 'folded', text: 'small' };
  const tab = browser.tab({
    chunkUnits: 400_000,
    answers: {
      fold: (worker, call) => {
        // One more chunk comes while the worker folds: it stays.
        browser.storage.setItem(`plainsync/${DOCUMENT}/chunk/late`, 'late');
        const hashes = [...worker.database.chunks.keys()].filter((hash) => hash !== 'late');
        worker.say({ type: 'answer', call, value: { hashes, into } });
      },
    },
  });
  const client = opened(t, tab);
  await client.jobs.insert(DRAGON);
  await client.jobs.insert(DRAGON);
  await until(() => browser.storage.getItem(`plainsync/${DOCUMENT}/chunk/folded`), 'the folded chunk');
  assert.deepEqual(
    browser.storage.keys('/chunk/').map((key) => key.split('/').at(-1)).sort(),
    ['folded', 'late'],
  );
});

test('b4_at_the_quota_the_database_holds_the_edit_and_people_are_told', async (t) => {
  const browser = fakeBrowser({ quota: 600 });
  const notices = [];
  const client = opened(t, browser.tab());
  client.on('notice', ({ code }) => notices.push(code));
  await client.ready;
  const row = await client.jobs.insert({ ...DRAGON, prompt: 'x'.repeat(1_000) });
  assert.ok(browser.database.rows.has(row.key));
  assert.deepEqual(notices.filter((code) => code === 'storage-full'), ['storage-full']);
  assert.equal(client.status.get().saved, 'saved');
});

test('b3_rows_of_the_last_visit_are_there_when_open_returns', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab();
  const client = openWith({}, tab.env);
  await client.jobs.insert(DRAGON);
  tab.happen('hidden');
  await until(() => browser.storage.getItem(`plainsync/${DOCUMENT}/first`), 'the first rows');
  await client.close();
  browser.server.up = false;
  const later = opened(t, browser.tab({ silent: true }));
  assert.equal(later.first[0].job.prompt, 'pixel dragon');
  assert.equal(later.stats.get().total, 1);
  const pages = [];
  later.jobs.subscribe({ limit: 10 }, (page) => pages.push(page));
  assert.equal(pages[0].total, 1);
  const other = [];
  later.jobs.subscribe({ q: 'knight' }, (page) => other.push(page));
  assert.deepEqual(other, []);
});

test('b8_a_window_moves_and_is_told_only_what_it_lacks', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab();
  const client = opened(t, tab);
  await client.ready;
  const pages = [];
  const subscription = client.jobs.subscribe({ limit: 2 }, (page) => pages.push(page));
  const worker = tab.workers[0];
  const { sub } = worker.received.find(({ type }) => type === 'subscribe');
  const row = (key, prompt) => ({ key, job: { prompt } });
  const tell = (page) => worker.say({ type: 'page', sub, total: 9, ...page });
  tell({ offset: 0, keys: ['a', 'b'], rows: [row('a', 'knight'), row('b', 'mage')] });
  tell({ offset: 0, keys: ['a', 'b'], rows: [row('b', 'dragon')] });
  subscription.move({ offset: 1, limit: 2 });
  subscription.move({ offset: 1, limit: 2 });
  tell({ offset: 1, keys: ['b', 'c'], rows: [row('c', 'wizard')] });
  await until(() => pages.length === 3, 'three pages');
  const shown = pages.map(({ offset, rows }) => [offset, ...rows.map(({ job }) => job.prompt)].join(' '));
  assert.deepEqual(shown, ['0 knight mage', '0 knight dragon', '1 dragon wizard']);
  assert.deepEqual(
    worker.received.filter(({ type }) => type === 'move'),
    [{ type: 'move', sub, offset: 1, limit: 2 }],
  );
  worker.die();
  await until(() => tab.workers[1]?.received.some(({ type }) => type === 'subscribe'), 'the next worker');
  const again = tab.workers[1].received.find(({ type }) => type === 'subscribe');
  assert.deepEqual(again.query, { limit: 2, offset: 1 }, 'it begins where the window is');
  subscription();
  assert.equal(tab.workers[1].received.at(-1).type, 'unsubscribe');
});

test('q4_a_query_that_means_nothing_is_told_to_who_asked', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab();
  const client = opened(t, tab);
  await client.ready;
  const errors = [];
  client.on('error', ({ message }) => errors.push(message));
  const faults = [];
  client.jobs.subscribe({ q: 'width:>x' }, () => {}, (fault) => faults.push(fault));
  client.jobs.subscribe({ q: '"' }, () => {});
  const worker = tab.workers[0];
  const subs = worker.received.filter(({ type }) => type === 'subscribe').map(({ sub }) => sub);
  worker.say({ type: 'page-failed', sub: subs[0], message: 'no number', at: 8 });
  worker.say({ type: 'page-failed', sub: subs[1], message: 'not closed', at: 1 });
  await until(() => errors.length === 1, 'the error');
  assert.deepEqual(faults, [{ message: 'no number', at: 8 }]);
  assert.deepEqual(errors, ['not closed']);
});

test('b3_a_damaged_first_row_cache_is_no_rows', async (t) => {
  const browser = fakeBrowser();
  await visit(browser);
  for (const text of ['{', '[]', '{"rows":[{}],"total":1,"stats":{}}', JSON.stringify({ rows: 'x', total: 1, stats: statsOf(1) })]) {
    browser.storage.setItem(`plainsync/server/http://localhost:8787`, JSON.stringify({ document: DOCUMENT, server: 'a', name: 'b' }));
    browser.storage.setItem(`plainsync/${DOCUMENT}/first`, text);
    assert.deepEqual(opened(t, browser.tab()).first, []);
  }
});

test('b1_an_edit_before_the_document_is_known_waits_for_its_name', async (t) => {
  const browser = fakeBrowser();
  browser.server.up = false;
  const tab = browser.tab();
  const client = opened(t, tab);
  const insert = client.jobs.insert(DRAGON);
  assert.equal(browser.storage.keys('plainsync/@http://localhost:8787/edit/').length, 1);
  await until(() => client.status.get().connection === 'offline', 'offline');
  browser.server.up = true;
  tab.happen('online');
  await insert;
  assert.deepEqual(browser.storage.keys('/edit/'), []);
  assert.equal(tab.worker.open.document, DOCUMENT);
});

test('b1_a_crash_that_empties_local_storage_leaves_what_the_database_has', async (t) => {
  const browser = fakeBrowser();
  const client = openWith({}, browser.tab().env);
  await client.jobs.insert(DRAGON);
  await client.close();
  for (const key of browser.storage.keys()) browser.storage.removeItem(key);
  browser.server.up = false;
  const tab = browser.tab();
  const later = opened(t, tab);
  assert.equal((await later.jobs.query()).rows[0].job.prompt, 'pixel dragon');
  assert.equal(tab.worker.open.document, DOCUMENT);
  assert.equal(tab.workers.length, 1);
});

test('s1_another_document_at_the_same_address_never_mixes', async (t) => {
  const browser = fakeBrowser();
  await visit(browser);
  const other = '3pRkRvtMzGvmdpGfBvxZGgwiC2kX';
  browser.server.document = other;
  const tab = browser.tab();
  const notices = [];
  const client = opened(t, tab);
  client.on('notice', (notice) => notices.push(notice));
  const pages = [];
  client.jobs.subscribe({}, (page) => pages.push(page));
  await until(() => notices.some(({ code }) => code === 'document-changed'), 'the notice');
  assert.deepEqual(tab.workers.map(({ open }) => open?.document), [DOCUMENT, other]);
  assert.ok(tab.workers[1].received.some(({ type }) => type === 'subscribe'));
  const changed = notices.find(({ code }) => code === 'document-changed');
  assert.deepEqual(changed.data, { from: DOCUMENT, to: other, waiting: 0 });
});

test('t4_a_server_that_refuses_is_shown_with_its_reason', async (t) => {
  const browser = fakeBrowser();
  browser.server.status = 401;
  const client = opened(t, browser.tab());
  const status = await until(() => client.status.get().connection === 'refused' && client.status.get(), 'refused');
  assert.equal(status.detail, 'This server needs a token.');
});

test('b6_old_data_is_taken_in_once_and_stays_where_it_is', async (t) => {
  const browser = fakeBrowser();
  const old = JSON.stringify({ jobs: [{ id: 'job-1', prompt: 'old' }], lastJobId: 2, savedAt: 1 });
  browser.storage.setItem('pixellab_jobs_v1', old);
  const imported = [];
  const script = {
    answers: {
      import: (worker, call, ask) => {
        imported.push(ask);
        worker.say({ type: 'answer', call, value: { added: 1, changed: 0, ignored: 0 } });
      },
    },
  };
  for (let load = 0; load < 2; load += 1) {
    const tab = browser.tab(script);
    const client = openWith({}, tab.env);
    await client.ready;
    assert.equal(imported.length, load, 'nothing is taken in before the first full sync');
    tab.worker.say({ type: 'synced' });
    await until(() => imported.length === 1 && browser.storage.getItem('plainsync/old-data'), 'the import');
    await client.close();
  }
  assert.equal(imported.length, 1);
  assert.deepEqual(imported[0], { type: 'import', text: old, origin: 'pixellab_jobs_v1' });
  assert.equal(browser.storage.getItem('pixellab_jobs_v1'), old);
});

test('b6_old_data_that_could_not_be_read_stays_and_is_named', async (t) => {
  const browser = fakeBrowser();
  browser.storage.setItem('pixellab_jobs_v1', '{"jobs":');
  const tab = browser.tab({ answers: { import: (worker, call) => worker.say({ type: 'failed', call, message: 'line 1, column 9' }) } });
  const errors = [];
  const client = opened(t, tab);
  client.on('error', (error) => errors.push(error));
  await client.ready;
  tab.worker.say({ type: 'synced' });
  await until(() => errors.length > 0, 'the error');
  assert.match(errors[0].message, /stay where they are: line 1, column 9/);
  assert.equal(browser.storage.getItem('plainsync/old-data'), null);
});

test('jobs_a_refused_edit_rejects_with_the_engines_sentence', async (t) => {
  const browser = fakeBrowser();
  const client = opened(t, browser.tab());
  await assert.rejects(client.jobs.change('missing', { prompt: 'x' }), /no record with the key missing/);
  assert.deepEqual(browser.storage.keys('/edit/'), []);
});

test('jobs_clear_removes_what_is_shown_and_gives_the_keys_for_undo', async (t) => {
  const browser = fakeBrowser();
  const client = opened(t, browser.tab());
  const rows = [await client.jobs.insert(DRAGON), await client.jobs.insert(DRAGON)];
  const { keys } = await client.jobs.clear();
  assert.deepEqual(keys.sort(), rows.map(({ key }) => key).sort());
  assert.equal((await client.jobs.query()).total, 0);
});

test('jobs_a_run_names_the_server_last_synced_with_even_offline', async (t) => {
  const browser = fakeBrowser();
  await visit(browser);
  browser.server.up = false;
  const tab = browser.tab();
  const client = opened(t, tab);
  const row = await client.jobs.insert(DRAGON, { run: true });
  assert.equal(row.run.server, 'aaaaaaaaaaaaaaaa');
});

test('jobs_a_run_without_any_known_server_says_why_not', async (t) => {
  const browser = fakeBrowser();
  browser.server.up = false;
  const client = opened(t, browser.tab());
  await assert.rejects(client.jobs.run('k1'), /No server is known yet/);
});

test('without_locks_or_storage_it_works_and_says_what_is_missing', async (t) => {
  const browser = fakeBrowser({ locks: false });
  const tab = browser.tab();
  tab.env.storage = null;
  const notices = [];
  const client = opened(t, tab);
  client.on('notice', ({ code, message }) => notices.push(`${code}: ${message}`));
  await client.jobs.insert(DRAGON);
  assert.equal(notices.filter((notice) => notice.startsWith('degraded')).length, 2);
  assert.equal(client.status.get().saved, 'saved');
});

test('image_only_images_are_shown_and_bytes_become_an_object_url', async (t) => {
  const browser = fakeBrowser();
  const cut = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]);
  const end = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];
  const png = Uint8Array.from([...cut, ...end]);
  let asked = 0;
  const client = opened(
    t,
    browser.tab({
      answers: {
        image: (worker, call, { blob }) => {
          asked += 1;
          worker.say({ type: 'answer', call, value: { mime: 'image/png' } }, blob.endsWith('b') ? cut : png);
        },
      },
    }),
  );
  await client.ready;
  const url = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  assert.equal(await client.image(url), url);
  for (const bad of [
    'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=',
    'data:image/png;base64,PHN2Zz48L3N2Zz4=',
    'data:text/html,<script>',
    'javascript:alert(1)',
    'blob:sha256-xyz',
  ]) {
    await assert.rejects(client.image(bad), Error, bad);
  }
  const blob = `blob:sha256-${'a'.repeat(64)}`;
  const shown = await client.image(blob);
  assert.match(shown, /^blob:/);
  assert.equal(await client.image(blob), shown);
  assert.equal(asked, 1);
  await assert.rejects(client.image(`blob:sha256-${'b'.repeat(64)}`), /cut off/);
});

test('notices_tell_when_the_servers_file_breaks_and_heals', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab();
  const notices = [];
  const client = opened(t, tab);
  client.on('notice', ({ code, message }) => code === 'file' && notices.push(message));
  await client.ready;
  browser.server.file = { state: 'unparsable', detail: 'line 3, column 7: expected a comma' };
  tab.happen('visible');
  await until(() => notices.length === 1, 'the first notice');
  browser.server.file = { state: 'ok' };
  tab.happen('visible');
  await until(() => notices.length === 2, 'the second notice');
  assert.deepEqual(notices, ['line 3, column 7: expected a comma', 'The server’s file is in order again.']);
});

test('f7_what_the_server_says_of_its_file_is_known_at_once', async (t) => {
  const browser = fakeBrowser();
  const tab = browser.tab();
  const [notices, heard] = [[], []];
  const client = opened(t, tab);
  client.on('notice', ({ code, message }) => code === 'file' && notices.push(message));
  client.file.subscribe((news) => heard.push(news?.fileState.state ?? null));
  await client.ready;
  const offer = { kind: 'older-version', heads: ['aa'], detail: 'an older version was put back' };
  tab.workers[0].say({ type: 'news', news: { fileState: { state: 'parked', detail: 'it is ahead' }, offer } });
  await until(() => client.file.get()?.fileState.state === 'parked', 'the news');
  assert.deepEqual(client.file.get().offer, offer);
  assert.deepEqual(notices, ['it is ahead']);
  tab.workers[0].say({ type: 'news', news: { fileState: 5 } }); // Not of this version.
  tab.workers[0].say({ type: 'news', news: { fileState: { state: 'ok' } } });
  await until(() => client.file.get()?.fileState.state === 'ok', 'the next news');
  assert.deepEqual(heard.slice(-2), ['parked', 'ok']);
});
