import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeApp, makeRow, until } from './helpers.ts';

const health = (state: string) => ({
  status: 'ok',
  file: { state },
  documents: [{ id: 'doc', name: 'job_history.json', jobs: 1 }],
});

for (const [state, labels] of [
  ['unparsable', ['Write it anew']],
  ['parked', ['Take it as it is', 'Write it anew']],
  ['awaiting-answer', ['Take it as it is', 'Keep the jobs']],
  ['missing', ['Start fresh…']],
  ['not-written', []],
] as const) {
  test(`f7_a_file_that_is_${state}_offers_what_can_be_decided`, async () => {
    const { app } = makeApp({}, { '/health': health(state) });
    await app.diagnostics.refresh();
    assert.deepEqual(
      app.notices.list.peek()[0]?.offers?.map(({ label }) => label),
      labels,
    );
  });
}

test('f6_taking_a_file_as_it_is_is_asked_then_told_to_the_server', async () => {
  const answers = { '/health': health('parked'), '/api/v1/documents/doc/file': {} };
  const { app } = makeApp({}, answers);
  await app.diagnostics.refresh();
  app.notices.list.peek()[0]?.offers?.[0]?.run();
  const asked = app.dialogs.open.peek();
  assert.ok(asked?.kind === 'confirm' && asked.title === 'Take the file as it is?');
  answers['/health'] = health('ok');
  asked.run();
  await until('the toast', () => app.toasts.list.peek()[0]?.text === 'The file was taken as it is');
  assert.equal(app.notices.list.peek().length, 0);
});

test('f7_starting_fresh_asks_before_it_clears', async () => {
  const { app, client } = makeApp({ rows: [makeRow(1, 1)] }, { '/health': health('missing') });
  await app.diagnostics.refresh();
  app.notices.list.peek()[0]?.offers?.[0]?.run();
  const asked = app.dialogs.open.peek();
  assert.ok(asked?.kind === 'confirm' && asked.title === 'Clear 1 job?');
  assert.equal(client.stats.get().total, 1);
});

const OFFER = { kind: 'older-version', heads: ['aa'], detail: 'an older version of job_history.json was put back' };
const REPORT = { added: 1, changed: 2, removed: 0, restored: 0, conflicting: 0, kept: 0 };

test('f7_what_the_server_says_of_its_file_is_a_banner_until_it_is_well', () => {
  const { app, client } = makeApp();
  const banner = (id: string) => app.notices.list.peek().find((one) => one.id === id);
  client.file.set({ fileState: { state: 'unparsable', detail: 'job_history.json is not readable JSON: line 3, column 9: expected `,`' } });
  assert.match(banner('file')?.text ?? '', /line 3, column 9/);
  assert.equal(banner('file')?.level, 'error');
  client.file.set({ fileState: { state: 'ok' } });
  assert.equal(banner('file'), undefined);
});

for (const [kind, labels] of [
  ['older-version', ['Return to it…', 'Keep the jobs']],
  ['start-fresh', ['Start fresh…', 'Keep the jobs']],
  ['something-newer', []],
] as const) {
  test(`f9_the_offer_${kind}_can_be_taken_or_left`, () => {
    const { app, client } = makeApp();
    client.file.set({ fileState: { state: 'ok' }, offer: { ...OFFER, kind } });
    const [banner] = app.notices.list.peek();
    assert.deepEqual(
      banner?.offers?.map(({ label }) => label),
      labels,
    );
    client.file.set({ fileState: { state: 'ok' } });
    assert.equal(app.notices.list.peek().length, 0, 'answered, here or elsewhere');
  });
}

for (const [detail, text] of [
  ['an older version of a.json was put back', 'An older version of a.json was put back.'],
  ['job_history.json was deleted', 'job_history.json was deleted.'],
] as const) {
  test(`f9_an_offer_says_${detail.replaceAll(/\W/g, '_')}`, () => {
    const { app, client } = makeApp();
    client.file.set({ fileState: { state: 'ok' }, offer: { ...OFFER, detail } });
    assert.equal(app.notices.list.peek()[0]?.text, text);
  });
}

test('f9_an_offer_that_was_put_away_hides_no_other_one', () => {
  const { app, client } = makeApp();
  const offer = (...heads: string[]) => client.file.set({ fileState: { state: 'ok' }, offer: { ...OFFER, heads } });
  offer('aa');
  app.notices.dismiss('offer');
  offer('aa');
  assert.equal(app.notices.list.peek().length, 0);
  offer('bb');
  assert.equal(app.notices.list.peek().length, 1);
});

test('f9_returning_is_asked_and_a_refusal_is_told', async () => {
  const { app, client } = makeApp({}, { '/health': health('ok') });
  await app.diagnostics.refresh();
  client.file.set({ fileState: { state: 'ok' }, offer: OFFER });
  app.notices.list.peek()[0]?.offers?.[0]?.run();
  const asked = app.dialogs.open.peek();
  assert.ok(asked?.kind === 'confirm' && asked.title === 'Return to the older version?');
  asked.run(); // The server of this test knows no such path.
  await until('the toast', () => app.toasts.list.peek().find(({ tone }) => tone === 'bad'));
  assert.equal(app.notices.list.peek().length, 1, 'the banner stays');
});

test('f4_what_was_taken_in_while_the_page_is_open_is_told_once', () => {
  const { app, client } = makeApp();
  const words = () => app.notices.list.peek().map(({ text }) => text);
  const at = Math.floor(Date.now() / 1000);
  const import_ = (lastImport: object) =>
    client.file.set({ fileState: { state: 'ok' }, lastImport: { source: 'what the file holds', at, report: REPORT, ...lastImport } });
  import_({ at: at - 3600 });
  assert.deepEqual(words(), [], 'an hour before the page was opened');
  import_({});
  assert.deepEqual(words(), ['From the file on disk: 1 added, 2 changed.']);
  app.notices.dismiss('import');
  import_({});
  assert.deepEqual(words(), []);
  import_({ at: at + 1, source: 'a conflict copy', report: { ...REPORT, conflicting: 1 } });
  assert.deepEqual(words(), ['From a conflict copy beside the file: 1 added, 2 changed, 1 edited apart, to be looked at.']);
  assert.equal(app.notices.list.peek()[0]?.level, 'warning');
});
