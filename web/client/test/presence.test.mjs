// Who is there and what they say, by their messages.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { decode, encode } from '../dist/cbor.js';
import { openWith } from '../dist/client.js';
import { PEERS_MAX, Peers, PRESENCE_BYTES_MAX, PRESENCES_BYTES_MAX } from '../dist/presence.js';
import { fakeBrowser, until } from './fakes.mjs';

/** Peers whose time passes by `pass(ms)`, and what they said. */
function stage(t) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  t.after(() => mock.timers.reset());
  let now = 1_000;
  const said = [];
  const told = [];
  const peers = new Peers({ now: () => now, say: (bytes) => said.push(decode(bytes).__presence), changed: () => {} });
  peers.others.subscribe((others) => told.push(others));
  const pass = (ms) => {
    for (let left = ms; left > 0; left -= 50) {
      now += 50;
      mock.timers.tick(50);
    }
  };
  const hear = (who, said) => peers.heard(who, encode({ __presence: said }));
  const states = () => Object.fromEntries(peers.others.get().map(({ peer, state }) => [peer, state]));
  return { peers, said, told, pass, hear, states };
}

test('b5_peers_are_those_heard_from_lately', (t) => {
  const { peers, pass, hear } = stage(t);
  hear('tab-1', { type: 'heartbeat' });
  pass(20_000);
  hear('tab-2', { type: 'snapshot', state: {} });
  assert.equal(peers.count, 2);
  pass(30_000);
  assert.equal(peers.count, 1);
  hear('tab-2', { type: 'goodbye' });
  assert.equal(peers.count, 0);
  hear('tab-2', { type: 'goodbye' });
  assert.equal(peers.count, 0, 'who says goodbye is not new');
});

test('b5_a_flood_of_names_is_not_remembered', (t) => {
  const { peers, said, told, pass, hear } = stage(t);
  for (let nth = 0; nth < PEERS_MAX + 10; nth += 1) hear(`peer-${nth}`, { type: 'heartbeat' });
  pass(100);
  assert.equal(peers.count, PEERS_MAX);
  assert.equal(told.at(-1).length, PEERS_MAX);
  assert.ok(told.length <= 4 && said.length <= 3, 'and neither page nor others hear of each');
  hear('peer-0', { type: 'update', channel: 'a', value: 1 });
  assert.deepEqual(peers.others.get()[0].state, { a: 1 }, 'who is known goes on');
});

test('b9_messages_of_automerge_repo_make_a_state', (t) => {
  const { hear, states, peers, pass } = stage(t);
  hear('anna', { type: 'snapshot', state: { job: 'job-1', pen: [1, 2] } });
  assert.deepEqual(states(), { anna: { job: 'job-1', pen: [1, 2] } });
  hear('anna', { type: 'update', channel: 'pen', value: [3.5, 4] });
  pass(1_000);
  hear('anna', { type: 'heartbeat' });
  assert.deepEqual(states(), { anna: { job: 'job-1', pen: [3.5, 4] } });
  assert.equal(peers.others.get()[0].heardAt, 2_000);
  hear('anna', { type: 'update', channel: 'pen', value: undefined });
  assert.deepEqual(states(), { anna: { job: 'job-1' } });
  hear('anna', { type: 'snapshot', state: { only: true } });
  assert.deepEqual(states(), { anna: { only: true } });
  hear('anna', { type: 'goodbye' });
  assert.deepEqual(states(), {});
});

test('b9_listeners_hear_of_each_change_and_of_nothing_else', (t) => {
  const { hear, told, pass, peers } = stage(t);
  assert.deepEqual(told, [[]]);
  hear('anna', { type: 'snapshot', state: { job: 1 } });
  assert.equal(told.length, 2, 'the first at once');
  for (let job = 2; job < 20; job += 1) hear('anna', { type: 'update', channel: 'job', value: job });
  assert.equal(told.length, 2);
  pass(50);
  assert.equal(told.length, 3);
  assert.deepEqual(told.at(-1)[0].state, { job: 19 });
  pass(1_000);
  hear('anna', { type: 'heartbeat' });
  hear('anna', { type: 'snapshot', state: { job: 19 } });
  hear('anna', { type: 'a newer word' });
  peers.heard('anna', encode({ not: 'presence' }));
  pass(1_000);
  assert.equal(told.length, 3);
});

test('b9_what_is_set_is_said_now_and_to_whoever_comes', (t) => {
  const { peers, said, pass, hear } = stage(t);
  const state = { job: 'job-1', pen: { x: 1 } };
  peers.set(state);
  state.pen.x = 2;
  assert.deepEqual(said, [{ type: 'snapshot', state: { job: 'job-1', pen: { x: 1 } } }], 'a copy');
  for (let x = 0; x < 10; x += 1) peers.set({ job: 'job-1', pen: { x } });
  pass(50);
  assert.equal(said.length, 2, 'of many in a moment, the last');
  assert.deepEqual(said[1].state.pen, { x: 9 });
  pass(50);
  hear('newcomer', { type: 'heartbeat' });
  assert.deepEqual(said[2], said[1]);
  hear('newcomer', { type: 'heartbeat' });
  pass(1_000);
  assert.equal(said.length, 3);
  // What is taken back must be named to clients that lay a state over the one before.
  peers.set({ job: 'job-2' });
  assert.deepEqual(said[3], { type: 'snapshot', state: { pen: undefined, job: 'job-2' } });
  peers.leave();
  assert.deepEqual(said[4], { type: 'goodbye' });
  peers.wake();
  assert.deepEqual(said[5], said[3]);
});

test('b9_what_cannot_be_said_is_refused_and_changes_nothing', (t) => {
  const { peers, said, pass, hear } = stage(t);
  peers.set({ job: 'job-1' });
  assert.throws(() => peers.set({ text: 'x'.repeat(PRESENCE_BYTES_MAX) }), /takes 8\d\d\d bytes; the limit is 8192/);
  assert.throws(() => peers.set({ run() {} }), /a function cannot be said/);
  for (const none of [null, undefined, 'text', [], new Uint8Array(3)]) assert.throws(() => peers.set(none), TypeError);
  pass(100);
  hear('newcomer', { type: 'heartbeat' });
  assert.deepEqual(said, [said[0], said[0]]);
  // Names that are no longer set do not keep a large state from being said.
  for (let nth = 0; nth < 2_000; nth += 1) peers.set({ [`name-${nth}`]: 'x'.repeat(7_000) });
  pass(100);
  assert.equal(said.at(-1).state['name-1999'].length, 7_000);
});

test('b9_hostile_messages_never_throw_and_are_bounded', (t) => {
  const { peers, hear, states, pass } = stage(t);
  hear('mallory', { type: 'snapshot', state: { job: 1 } });
  for (const bytes of [[0xff], new Uint8Array(PRESENCE_BYTES_MAX).fill(0x81), new Uint8Array(256 * 1024).fill(0x9f), [0xa1], [0xf6], [0x80], [0x61, 0x61]]) {
    peers.heard('mallory', Uint8Array.from(bytes));
  }
  for (const said of [null, 5, 'goodbye', [], {}, { type: 7 }, { type: 'update' }, { type: 'update', channel: {}, value: 1 }, { type: 'snapshot' }, { type: 'snapshot', state: [1] }]) {
    hear('mallory', said);
  }
  assert.deepEqual(states(), { mallory: { job: 1 } });
  hear('mallory', { type: 'update', channel: '__proto__', value: { polluted: true } });
  hear('mallory', { type: 'snapshot', state: { ['__proto__']: { polluted: true } } });
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(states().mallory), ['__proto__']);
  peers.heard('__proto__', encode({ __presence: { type: 'snapshot', state: {} } }));
  assert.equal(peers.count, 2);

  // More than is kept: of one, in one message or by and by, and of all together.
  hear('mallory', { type: 'snapshot', state: { job: 2 } });
  peers.heard('mallory', new Uint8Array());
  assert.deepEqual(states().mallory, {}, 'its message was too large');
  for (let nth = 0; nth < 100; nth += 1) hear('mallory', { type: 'update', channel: `channel ${nth}`, value: 'x'.repeat(1_000) });
  assert.ok(encode(states().mallory).length <= PRESENCE_BYTES_MAX);
  for (const channel of ['a', 'b', 'c']) hear('mallory', { type: 'update', channel, value: Array(1_500).fill(0) });
  assert.deepEqual(Object.keys(states().mallory), ['c'], 'what is too much is as if nothing were said');
  for (let nth = 0; nth < 400; nth += 1) hear(`many ${nth}`, { type: 'snapshot', state: { text: 'x'.repeat(8_000) } });
  const kept = () => peers.others.get().reduce((sum, { state }) => sum + encode(state).length, 0);
  assert.ok(kept() <= PRESENCES_BYTES_MAX && kept() > PRESENCES_BYTES_MAX - PRESENCE_BYTES_MAX, `${kept()} bytes`);
  assert.equal(peers.count, 402);
  pass(60_000);
  assert.equal(peers.count, 0);
  hear('later', { type: 'snapshot', state: { text: 'x'.repeat(8_000) } });
  assert.equal(states().later.text.length, 8_000, 'and what is gone makes room');
});

test('b9_presence_passes_between_the_worker_and_the_program', async (t) => {
  const { env, happen, workers, ...tab } = fakeBrowser().tab();
  const client = openWith({}, env);
  t.after(() => client.close());
  client.presence.set({ job: 'job-1' });
  await client.ready;
  const worker = () => workers.at(-1);
  const said = () => worker().received.filter(({ type }) => type === 'presence').map(({ bytes }) => decode(bytes).__presence);
  assert.deepEqual(said(), [{ type: 'snapshot', state: { job: 'job-1' } }], 'what was set before there was a worker');
  const hear = (sender, message) => worker().say({ type: 'presence', sender }, encode({ __presence: message }));
  worker().say({ type: 'status', status: worker().status() });
  hear('anna', { type: 'snapshot', state: { job: 'job-2' } });
  await until(() => client.status.get().peers === 1, 'the count');
  assert.deepEqual(client.presence.others.get().map(({ peer, state }) => [peer, state]), [['anna', { job: 'job-2' }]]);

  worker().say({ type: 'status', status: worker().status({ connection: 'offline' }) });
  await until(() => client.status.get().peers === 0, 'nobody to be there without a connection');
  worker().say({ type: 'status', status: worker().status() });
  hear('ben', { type: 'heartbeat' });
  await until(() => client.status.get().peers === 1, 'Ben');
  worker().die();
  await until(() => workers.length === 2, 'the next worker');
  await until(() => said().length > 0, 'it to know what to say');
  assert.deepEqual(said()[0], { type: 'snapshot', state: { job: 'job-1' } });
  assert.equal(client.status.get().peers, 0);

  happen('left');
  assert.deepEqual(said().at(-1), { type: 'goodbye' });
  happen('resumed');
  assert.deepEqual(said().at(-1), { type: 'snapshot', state: { job: 'job-1' } });
});
