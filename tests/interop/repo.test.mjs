// An unmodified automerge-repo client reads, changes and watches the history (S1).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { generateAutomergeUrl, parseAutomergeUrl } from '@automerge/automerge-repo';

import { until } from '../browser/harness/wait.mjs';
import { keyOf, otherPeers, served, text, world } from './clients.mjs';

/** A server with two jobs, the first of which is done, and clients of it. */
async function history(t) {
  const { server, client } = await world(t);
  for (const prompt of ['a knight', 'a mage']) {
    const made = await server.send('POST', 'api/v1/jobs', { prompt, seed: '7' });
    assert.equal(made.status, 201);
  }
  const done = { status: 'success', startTime: 1000, endTime: 2500, duration: 1.5 };
  assert.equal((await server.send('PATCH', 'api/v1/jobs/job-1', done)).status, 200);
  return { server, client };
}

/** The job shown as `label`, as the API has it. */
const shown = async (server, label) => (await server.get(`api/v1/jobs/${label}`)).job;

/** The job shown as `label`, as the file has it. */
const filed = async (server, label) => (await server.read()).jobs.find((job) => job.id === label);

test('s1_a_repo_client_sees_the_jobs', async (t) => {
  const { server, client } = await history(t);
  const handle = await client('reader').find(await served(server));
  const jobs = Object.values(handle.doc().jobs);
  assert.deepEqual(jobs.map((job) => text(job.prompt)).sort(), ['a knight', 'a mage']);
  const knight = handle.doc().jobs[await keyOf(server, 'job-1')];
  assert.equal(text(knight.id), 'job-1');
  assert.equal(knight.width, 64);
  assert.equal(text(knight.runs[text(knight.run)].status), 'success');
});

test('s1_what_a_repo_client_changes_is_in_the_api_and_in_the_file', async (t) => {
  const { server, client } = await history(t);
  const handle = await client('writer').find(await served(server));
  const key = await keyOf(server, 'job-1');
  handle.change((doc) => {
    const job = doc.jobs[key];
    job.prompt = 'a queen'; // Its own strings are texts that merge by letters.
    job.width = 128;
    job.stars = 4.5;
    const run = job.runs[text(job.run)];
    run.status = 'error';
    run.error = 'too dark';
  });
  const expected = { id: 'job-1', prompt: 'a queen', width: 128, stars: 4.5, status: 'error', error: 'too dark', duration: 1.5 };
  for (const look of [shown, filed]) {
    const job = await until(`the queen (${look.name})`, async () => {
      const job = await look(server, 'job-1');
      return job.prompt === 'a queen' && job;
    });
    assert.deepEqual({ ...job, ...expected }, job, look.name);
  }
  assert.equal((await shown(server, 'job-2')).prompt, 'a mage');

  // And letters of that text, changed where it is one.
  handle.change((doc) => {
    doc.jobs[key].prompt += ' in armour';
  });
  await until('the armour', async () => (await shown(server, 'job-1')).prompt === 'a queen in armour');
  assert.equal((await server.send('PATCH', 'api/v1/jobs/job-1', { prompt: 'a king' })).status, 200);
  await until('the king', () => text(handle.doc().jobs[key].prompt) === 'a king');
});

test('s1_what_others_change_arrives_at_a_repo_client', async (t) => {
  const { server, client } = await history(t);
  const handle = await client('watcher').find(await served(server));
  const key = await keyOf(server, 'job-2');
  const prompt = () => text(handle.doc().jobs[key].prompt);

  await server.send('PATCH', 'api/v1/jobs/job-2', { prompt: 'a witch' });
  await until('the witch', () => prompt() === 'a witch');

  const file = await until('the file', async () => {
    const file = await server.read();
    return file.jobs[1]?.prompt === 'a witch' && file;
  });
  file.jobs[1].prompt = 'a wizard, by hand';
  await writeFile(server.file, JSON.stringify(file, null, 2));
  await until('the wizard', () => prompt() === 'a wizard, by hand');
});

test('s1_what_a_repo_client_writes_outside_our_shapes_is_kept_and_shown', async (t) => {
  const { server, client } = await history(t);
  const handle = await client('stranger').find(await served(server));
  handle.change((doc) => {
    doc.jobs['from-elsewhere'] = { prompt: 'no id, no run', tags: ['a', { b: null }], at: new Date(86_400_000) };
    doc.jobs['odd one'] = 'not a job at all';
    doc.board = { title: 'Heroes' };
  });
  const file = await until('the file', async () => {
    const file = await server.read();
    return file.board && file;
  });
  assert.deepEqual(file.board, { title: 'Heroes' });
  const job = file.jobs.find((job) => job.prompt === 'no id, no run');
  assert.deepEqual(job.tags, ['a', { b: null }]);
  assert.match(job.id, /\S/);
  assert.equal(file.jobs.filter((job) => job.prompt === 'a knight' || job.prompt === 'a mage').length, 2);

  // Others still work with it.
  const changed = await server.send('PATCH', `api/v1/jobs/${job.id}`, { prompt: 'adopted' });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  await until('the adopted job', () => text(handle.doc().jobs['from-elsewhere'].prompt) === 'adopted');
});

test('s3_edits_of_a_repo_client_made_while_the_server_is_gone_arrive', async (t) => {
  const { server, client } = await history(t);
  const repo = client('traveller');
  const handle = await repo.find(await served(server));
  const [one, two] = [await keyOf(server, 'job-1'), await keyOf(server, 'job-2')];
  const gone = once(repo.networkSubsystem, 'peer-disconnected');
  await server.kill();
  await gone;
  handle.change((doc) => {
    doc.jobs[one].prompt = 'made offline';
    doc.jobs[two].height = 96;
  });
  await server.start();
  await server.send('PATCH', 'api/v1/jobs/job-2', { prompt: 'made meanwhile' });
  await until('both edits here', () => text(handle.doc().jobs[two].prompt) === 'made meanwhile');
  await until('both edits there', async () => {
    const [first, second] = [await shown(server, 'job-1'), await shown(server, 'job-2')];
    return first.prompt === 'made offline' && second.height === 96 && second.prompt === 'made meanwhile';
  });
  await until('both edits in the file', async () => {
    const [first, second] = [await filed(server, 'job-1'), await filed(server, 'job-2')];
    return first.prompt === 'made offline' && second.height === 96;
  });
});

test('s1_presence_is_passed_on_between_repo_clients', async (t) => {
  const { server, client } = await history(t);
  const url = await served(server);
  const [anna, ben] = await Promise.all(['anna', 'ben'].map((name) => client(name).find(url)));
  const heard = [];
  ben.on('ephemeral-message', ({ senderId, message }) => heard.push({ senderId, message }));
  const own = [];
  anna.on('ephemeral-message', ({ message }) => own.push(message));
  const cursor = { __presence: { type: 'heartbeat', job: 'job-1', note: 'größer 🐉' } };
  anna.broadcast(cursor);
  await until('the message', () => heard.length > 0);
  anna.broadcast({ second: new Uint8Array([1, 2, 3]) });
  await until('the second message', () => heard.length > 1);
  assert.deepEqual(heard[0], { senderId: 'anna', message: cursor });
  assert.deepEqual([...heard[1].message.second], [1, 2, 3]);
  assert.equal(heard.length, 2, 'each once');
  assert.equal(own.length, 0, 'none comes back');
});

test('s1_presence_passes_between_a_repo_client_samod_and_our_own', async (t) => {
  const { server, client } = await history(t);
  const url = await served(server);
  const handle = await client('anna').find(url);
  const peers = await otherPeers(t, server, url);
  const heard = [];
  // The server speaks, too, when there is news of the file: its messages are texts.
  handle.on('ephemeral-message', ({ senderId, message }) => {
    if (typeof message !== 'string') heard.push([senderId, message]);
  });
  const cursor = { __presence: { type: 'heartbeat', job: 'job-1', note: 'größer 🐉' } };
  handle.broadcast(cursor);
  await until('both to hear her', () => ['samod', 'ours'].every((who) => peers.heard(who).length === 1));
  assert.deepEqual(peers.heard('samod'), [cursor]);
  assert.deepEqual(peers.heard('ours'), [cursor]);

  peers.say('samod', { from: 'rust', n: 1 });
  await until('anna and ours', () => heard.length === 1 && peers.heard('ours').length === 2);
  peers.say('ours', { from: 'the engine', n: 2 });
  await until('anna and samod', () => heard.length === 2 && peers.heard('samod').length === 2);
  assert.deepEqual(heard, [
    ['samod', { from: 'rust', n: 1 }],
    ['tab-1', { from: 'the engine', n: 2 }],
  ]);
  assert.deepEqual(peers.heard('samod'), [cursor, { from: 'the engine', n: 2 }], 'each once, none of its own');
  assert.deepEqual(peers.heard('ours'), [cursor, { from: 'rust', n: 1 }], 'each once, none of its own');
});

test('s1_two_documents_share_one_socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'plainsync-two-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { documentId } = parseAutomergeUrl(generateAutomergeUrl());
  const other = { jobs: [{ id: 'job-1', prompt: 'in the other file' }], lastJobId: 2, sync: { document: documentId, heads: [] } };
  await writeFile(join(folder, 'other.json'), JSON.stringify(other));
  const { server, client } = await world(t, { folder, whole: true });
  assert.equal((await server.send('POST', 'api/v1/jobs', { prompt: 'in the first file' })).status, 201);
  let documents = [];
  await until('both listed', async () => {
    ({ documents } = await server.get('health'));
    return documents.length === 2;
  });
  assert.deepEqual(documents.map(({ name }) => name), ['job_history.json', 'other.json']);
  const repo = client('two-of-them');
  const handles = await Promise.all(documents.map(({ url }) => repo.find(url)));
  const prompts = () => handles.map((handle) => Object.values(handle.doc().jobs).map(({ prompt }) => text(prompt)));
  await until('both', () => isDeepStrictEqual(prompts(), [['in the first file'], ['in the other file']]));
  for (const [n, handle] of handles.entries()) {
    handle.change((doc) => {
      for (const key of Object.keys(doc.jobs)) doc.jobs[key].prompt = `edited, number ${n}`;
    });
  }
  const filed = async (name) => JSON.parse(await readFile(join(folder, name), 'utf8').catch(() => '{"jobs":[{}]}')).jobs[0].prompt;
  await until('both files', async () => (await filed('job_history.json')) === 'edited, number 0' && (await filed('other.json')) === 'edited, number 1');
  const metrics = await (await fetch(new URL('metrics', server.url))).text();
  assert.match(metrics, /^plainsync_connections_open\{kind="sync"\} 1$/m);
});

test('s1_an_unknown_document_is_unavailable', async (t) => {
  const { server, client } = await history(t);
  const repo = client('seeker');
  await assert.rejects(repo.find(generateAutomergeUrl()), /unavailable/);
  const handle = await repo.find(await served(server));
  assert.equal(Object.keys(handle.doc().jobs).length, 2, 'and the connection goes on');
});

test('s1_a_document_of_a_repo_client_is_not_taken_in', async (t) => {
  const { server, client } = await history(t);
  const repo = client('giver');
  const handle = await repo.find(await served(server));
  const own = repo.create({ jobs: {} });
  own.change((doc) => {
    doc.jobs.one = { prompt: 'mine' };
  });
  const key = await keyOf(server, 'job-1');
  handle.change((doc) => {
    doc.jobs[key].width = 32;
  });
  await until('the width', async () => (await shown(server, 'job-1')).width === 32);
  const { documents } = await server.get('health');
  assert.equal(documents.length, 1);
  assert.equal(documents[0].jobs, 2);
});

test('s1_news_of_the_file_do_a_repo_client_no_harm', async (t) => {
  const { server, client } = await history(t);
  const handle = await client('reader').find(await served(server));
  const heard = [];
  handle.on('ephemeral-message', ({ message }) => heard.push(message));
  const isWritten = async () => (await server.read().catch(() => ({ jobs: [] }))).jobs.some(({ prompt }) => prompt === 'a mage');
  await until('the file', isWritten);
  const good = JSON.stringify(await server.read(), null, 2);
  await writeFile(server.file, good.slice(0, -20));
  await until('the news', () => heard.some((message) => JSON.parse(message).news.fileState.state === 'unparsable'));
  await writeFile(server.file, good.replace('a mage', 'by hand'));
  await until('the edit', () => Object.values(handle.doc().jobs).some((job) => text(job.prompt) === 'by hand'));
});
