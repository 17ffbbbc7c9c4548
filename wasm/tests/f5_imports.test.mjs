// F5 in wasm, and wasm against native: one edited file is one and the same change, whoever reads it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Engine, initSync } from '../../web/client/wasm/plainsync_wasm.js';

const DOCUMENT = '4NMNnkMhL8jXrdJ9jamS58PAVdXu';
const NOW = 1.8e12;

initSync({ module: readFileSync(new URL('../../web/client/wasm/plainsync_wasm_bg.wasm', import.meta.url)) });

/** A replica with every change that it made or took in. */
function replica(actor) {
  const engine = new Engine(DOCUMENT, actor.toString(16).padStart(32, '0'));
  const changes = [];
  let count = 0;
  return {
    changes,
    edit(edit) {
      count += 1;
      const stamped = { id: `edit-${actor}-${count}-of-a-test`, at: NOW + count * 1000, edit };
      changes.push(...engine.edit(JSON.stringify(stamped), stamped.at));
    },
    take(others) {
      engine.applyChanges(others);
      changes.push(...others);
    },
    read: (text) => JSON.parse(engine.importText(text, NOW)),
    whole: () => engine.save(),
    heads: () => engine.heads(),
    json: () => engine.exportJson(),
  };
}

function inNative(changes, files) {
  const program = process.env.PLAINSYNC_MERGE ?? fileURLToPath(new URL('../../target/debug/merge', import.meta.url));
  const input = JSON.stringify({ document: DOCUMENT, changes: changes.map((bytes) => Buffer.from(bytes).toString('base64')), files });
  return execFileSync(program, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** The file's jobs, edited as a person would. */
function edited(text, edit) {
  const file = JSON.parse(text);
  edit(file);
  return JSON.stringify(file, null, 2);
}

const insert = (key, record) => ({ type: 'insert', key, record });
const change = (key, set) => ({ type: 'change', key, set });

test('f5_two_diverged_replicas_read_one_file_as_one_change_in_wasm_and_natively', () => {
  const first = replica(1);
  for (let n = 1; n <= 40; n += 1) first.edit(insert(`record-${n}`, { prompt: `sprite ${n} — ü 🦊`, width: 64, createdAt: n }));
  first.edit(change('record-2', { status: 'success', duration: 0.1, result: { seed: 7, more: [1, { deep: null }] } }));
  const second = replica(2);
  second.take(first.changes);
  const text = edited(first.json(), (file) => {
    file.jobs[0].prompt = 'by hand';
    file.jobs[1].status = 'error';
    file.jobs[2].extra = { a: [1, 2.5, -0, 1e21], b: { 'ключ': '\u0000' } };
    file.jobs.splice(5, 1);
    file.jobs.push({ prompt: 'new, without an id', createdAt: 99 }, { id: 'job-3', prompt: 'a copy' });
    file.jobs.reverse();
    file.owner = 'Ada';
  });

  // They part: what each has besides the file's version differs.
  first.edit(change('record-1', { width: 128 }));
  first.edit({ type: 'remove', keys: ['record-3'] });
  second.edit(change('record-1', { prompt: 'elsewhere' }));
  second.edit(insert('record-41', { prompt: 'apart' }));
  const [beforeFirst, beforeSecond] = [first.heads(), second.heads()];
  const natively = { first: inNative(first.changes, [text]), second: inNative(second.changes, [text]) };

  assert.deepEqual(first.read(text).known, false);
  second.read(text);
  const news = (heads, before) => heads.filter((head) => !before.includes(head));
  const made = news(first.heads(), beforeFirst);
  assert.equal(made.length, 1);
  assert.deepEqual(news(second.heads(), beforeSecond), made, 'the same change on both');
  assert.equal(first.json(), natively.first, 'the same history natively');
  assert.equal(second.json(), natively.second, 'the same history natively');

  for (const one of [first, second]) {
    const before = one.json();
    const report = one.read(text);
    assert.equal(report.known, true);
    assert.equal(one.json(), before, 'a second time nothing changes');
  }
  const merged = replica(3);
  merged.take([first.whole(), second.whole()]);
  const other = replica(4);
  other.take([second.whole(), first.whole()]);
  assert.equal(merged.json(), other.json());
  assert.equal(merged.json(), inNative([first.whole(), second.whole()], [text]));
  assert.equal(JSON.parse(merged.json()).owner, 'Ada');
});

test('f5_a_large_first_import_is_the_same_history_in_wasm_and_natively', () => {
  const jobs = Array.from({ length: 2500 }, (_, n) => ({ id: `job-${n + 1}`, prompt: `sprite ${n}`, width: 64, createdAt: n + 1 }));
  const text = JSON.stringify({ jobs, lastJobId: 2501, savedAt: 1.7e12 });
  const one = replica(1);
  one.read(text);
  assert.equal(one.json(), inNative([], [text]));
  assert.equal(JSON.parse(one.json()).jobs.length, 2500);
});
