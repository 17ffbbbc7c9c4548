// Who else is there: the dashboard in Chromium, automerge-repo's client in Node and samod on one document.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cbor, otherPeers, parseAutomergeUrl, Presence, served, world } from '../interop/clients.mjs';
import { startBrowser, until } from './harness.mjs';
import { dashboard, status } from './harness/dashboard.mjs';
import { look, pillSays } from './screens/look.mjs';

/** A page on a server's document, Anna of automerge-repo, and samod, which says nothing by itself. */
async function begin(t) {
  const { server, client } = await world(t);
  const url = await served(server);
  const browser = await startBrowser(t);
  const page = await dashboard(browser, server);
  await pillSays(page, 'server has it');
  const handle = await client('anna').find(url);
  const anna = new Presence({ handle });
  t.after(() => anna.stop());
  const heard = [];
  handle.on('ephemeral-message', ({ senderId, message }) => heard.push({ senderId, said: message?.__presence }));
  const others = await otherPeers(t, server, url);
  return {
    server,
    browser,
    page,
    anna,
    others,
    /** What Anna heard of the page. */
    annaHeard: () => heard.filter(({ senderId }) => senderId.startsWith('tab-')).map(({ said }) => said),
    /** What samod heard of others, the page among them. */
    samodHeard: () => others.heard('samod').map((message) => message.__presence),
    samodSays: (said) => others.say('samod', { __presence: said }),
  };
}

/** What the panel behind the pill says of peers. */
const panelSays = (page, words) => page.locator('#sync div', { hasText: 'Peers' }).getByText(words).waitFor();

/** Waits until the pill tells of no peers. */
const pillTellsOfNobody = (page) => page.waitForFunction(() => !document.querySelector('.pill-long').textContent.includes('peer'));

/** The others as a program in the page sees them. */
const others = (page) => page.evaluate(() => app.client.presence.others.get());

test('b5_the_page_counts_a_repo_client_and_samod_and_they_hear_the_page', async (t) => {
  const { page, anna, annaHeard, samodHeard, samodSays } = await begin(t);
  await page.locator('.pill').click();
  await panelSays(page, 'Nobody else on this list right now.');

  anna.start({ initialState: { name: 'Anna' } });
  await pillSays(page, '1 peer');
  await panelSays(page, '1 other tab, program or person on this list now.');
  samodSays({ type: 'heartbeat' });
  await pillSays(page, '2 peers');
  await panelSays(page, '2 other tabs, programs or people on this list now.');
  await look(page, 'peers');

  // Both know of the page, which has nothing to say of itself; Anna's list has it as she has all others.
  const ofThePage = { type: 'snapshot', state: {} };
  await until('Anna to hear the page', () => annaHeard().length > 0);
  assert.deepEqual(annaHeard()[0], ofThePage);
  await until('samod to hear the page', () => samodHeard().some(({ state }) => state && Object.keys(state).length === 0));
  const [peer] = Object.values(anna.getPeerStates().value).filter(({ peerId }) => peerId.startsWith('tab-'));
  assert.deepEqual(peer.value, {});

  samodSays({ type: 'goodbye' });
  await page.waitForFunction(() => /\b1 peer$/.test(document.querySelector('.pill-long').textContent));
  anna.stop();
  await pillTellsOfNobody(page);
  await panelSays(page, 'Nobody else on this list right now.');
  assert.deepEqual(page.troubles, []);
});

test('b5_the_others_hear_that_a_page_is_closed', async (t) => {
  const { server, browser, page, anna, annaHeard, samodHeard } = await begin(t);
  anna.start({ initialState: {} });
  const stays = await dashboard(browser, server);
  await pillSays(page, '2 peers');
  await pillSays(stays, '2 peers');
  await page.close();
  for (const heard of [annaHeard, samodHeard]) {
    await until('the goodbye', () => heard().some(({ type }) => type === 'goodbye'));
  }
  await pillSays(stays, '1 peer');
  await until('it to be gone from her list', () => Object.keys(anna.getPeerStates().value).length === 1);
  // A page that is reloaded is another one, which comes at once.
  await stays.reload();
  await pillSays(stays, '1 peer');
  await until('both goodbyes', () => annaHeard().filter(({ type }) => type === 'goodbye').length === 2);
  await until('the new one on her list', () => Object.keys(anna.getPeerStates().value).length === 1);
});

test('b9_programs_say_something_of_themselves_and_hear_it_of_others', async (t) => {
  const { server, browser, page, anna, samodHeard, samodSays } = await begin(t);
  anna.start({ initialState: { name: 'Anna', job: 'job-1' } });
  const state = { job: 'job-2', pen: { x: 1.5, y: -3 }, names: ['größer 🐉', null, true] };
  await page.evaluate((state) => app.client.presence.set(state), state);
  const ofThePage = () => Object.values(anna.getPeerStates().value).find(({ peerId }) => peerId.startsWith('tab-'))?.value;
  await until('Anna to know', () => ofThePage()?.job === 'job-2');
  assert.deepEqual(ofThePage(), state);
  await until('samod to hear it', () => samodHeard().some(({ state }) => state?.job === 'job-2'));

  const saidBy = async (who, on = page) => (await others(on)).find(({ peer }) => peer === who)?.state;
  await until('the page to know of Anna', async () => (await saidBy('anna')) !== undefined);
  assert.deepEqual(await saidBy('anna'), { name: 'Anna', job: 'job-1' });
  await page.evaluate(() => {
    globalThis.told = [];
    app.client.presence.others.subscribe((others) => told.push(others.map(({ peer, state }) => [peer, state.job])));
  });
  anna.broadcast('job', 'job-3');
  await until('the page to be told', () => page.evaluate(() => told.some((others) => others.some(([peer, job]) => peer === 'anna' && job === 'job-3'))));
  samodSays({ type: 'snapshot', state: { from: 'rust', bytes: new Uint8Array([1, 2]), day: new Date(86_400_000) } });
  await until('the page to know of samod', async () => (await saidBy('samod')) !== undefined);
  assert.deepEqual((await saidBy('samod')).from, 'rust');
  assert.equal((await saidBy('samod')).day, 86_400, 'seconds, as CBOR has a time');
  assert.deepEqual(await page.evaluate(() => [...app.client.presence.others.get().find(({ peer }) => peer === 'samod').state.bytes]), [1, 2]);

  // Another page, which comes later, knows all that was said; and the first one takes something back.
  const second = await dashboard(browser, server);
  await until('both to be there', async () => (await status(second)).peers === 2); // samod answers nobody.
  const first = (await others(second)).find(({ peer }) => peer.startsWith('tab-'));
  assert.deepEqual(first.state, state);
  assert.equal((await saidBy('anna', second)).job, 'job-3');
  await page.evaluate(() => app.client.presence.set({ job: 'job-4' }));
  await until('Anna to know', () => ofThePage().job === 'job-4');
  assert.deepEqual([ofThePage().pen, ofThePage().names], [undefined, undefined]);
  await until('the other page to know', async () => (await saidBy(first.peer, second)).job === 'job-4');
  assert.deepEqual(await saidBy(first.peer, second), { job: 'job-4' });

  // After the server was away the page says it again, to whoever is there then.
  await second.evaluate(() => {
    globalThis.told = [];
    app.client.presence.others.subscribe((others) => told.push(others.map(({ state }) => state.job)));
  });
  await server.restart();
  await until('nobody to be there, and the first page again', () =>
    second.evaluate(() => told.some((jobs, at) => jobs.length === 0 && told.slice(at).some((later) => later.includes('job-4')))),
  );
  assert.deepEqual(second.troubles.filter((trouble) => !trouble.includes('ERR_')), []);
});

test('b9_hostile_presence_does_nothing_to_the_page', async (t) => {
  // Without Anna: her own library fails on such messages.
  const { server, client } = await world(t);
  const url = await served(server);
  const page = await dashboard(await startBrowser(t), server);
  const rust = await otherPeers(t, server, url);
  const deep = new Uint8Array(7_000).fill(0x81);
  const large = new Uint8Array(256 * 1024).fill(0x9f);
  for (const bytes of [[0xff], [0x5b, 255, 255, 255, 255, 255, 255, 255, 255], deep, large]) rust.sayBytes('samod', bytes);
  for (const said of [null, 7, [], { type: [] }, { type: 'snapshot', state: 'none' }, { type: 'update', channel: 5 }]) rust.say('samod', { __presence: said });
  for (const message of [0, 'goodbye', null, { __presence: 'goodbye' }]) rust.say('samod', message);
  rust.say('samod', { __presence: { type: 'update', channel: '__proto__', value: { polluted: 1 } } });
  rust.say('samod', { __presence: { type: 'update', channel: 'still', value: 'heard' } });
  await until('its words', async () => (await others(page)).some(({ state }) => state.still === 'heard'));
  assert.equal(await page.evaluate(() => ({}).polluted), undefined);
  await pillSays(page, '1 peer');

  // One connection that speaks under more and more names.
  const repo = client('mallory');
  await repo.find(url);
  const [adapter] = /** @type {any[]} */ (repo.networkSubsystem.adapters);
  const { documentId } = parseAutomergeUrl(url);
  const data = new Uint8Array(cbor.encode({ __presence: { type: 'snapshot', state: { job: 'job-1' } } }));
  let names = 0;
  await until('as many peers as are remembered', async () => {
    for (let nth = 0; nth < 50; nth += 1) {
      const senderId = `flood-${names++}`;
      adapter.send({ type: 'ephemeral', senderId, targetId: adapter.remotePeerId, documentId, count: 1, sessionId: senderId, data });
    }
    return (await status(page)).peers === 1_000;
  });
  await pillSays(page, '1,000 peers');
  await page.evaluate(() => app.client.jobs.insert({ prompt: 'the page goes on' }));
  await page.locator('.card', { hasText: 'the page goes on' }).waitFor();
  assert.deepEqual(page.troubles, []);
});
