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
  ['awaiting-answer', ['Take it as it is', 'Write it anew']],
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
