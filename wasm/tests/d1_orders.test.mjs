// D1 in wasm, and wasm against native: six replicas' edits, merged in 200 random orders, give one text.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Engine, initSync } from '../../web/client/wasm/plainsync_wasm.js';

const REPLICAS = 6;
const EDITS_EACH = 12;
const ORDERS = 200;
const DOCUMENT = '4NMNnkMhL8jXrdJ9jamS58PAVdXu';

initSync({ module: readFileSync(new URL('../../web/client/wasm/plainsync_wasm_bg.wasm', import.meta.url)) });

/** Numbers in [0, 1) that follow from `seed` alone. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What one person does next, to jobs that their replica has or to a new one. */
function nextEdit(random, replica, count, keys) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const edit = () => {
    if (keys.length === 0 || random() < 0.3) {
      const key = `replica-${replica}-job-${count}`;
      return { type: 'insert', key, record: { prompt: `sprite ${count} — ü 🦊`, width: 64, height: 64, seed: '7', createdAt: 1.7e12 + count } };
    }
    const key = pick(keys);
    return pick([
      () => ({ type: 'change', key, set: { prompt: `reworded by ${replica} at ${count}` } }),
      () => ({ type: 'change', key, set: { width: 16 + Math.floor(random() * 240) } }),
      () => ({ type: 'change', key, set: { status: 'success', duration: random() * 10, result: null } }),
      () => ({ type: 'change', key, set: { note: { by: replica, at: [count, random()] } } }),
      () => ({ type: 'remove', keys: [key] }),
      () => ({ type: 'restore', keys: [key] }),
    ])();
  };
  return { id: `edit-${replica}-${count}-of-a-test`, at: 1.7e12 + Math.floor(random() * 1e9), edit: edit() };
}

/** Six replicas that edit, now and then hearing from one another; returns every change made. */
function changesOf(seed) {
  const random = randomFrom(seed);
  const engines = Array.from({ length: REPLICAS }, (_, at) => new Engine(DOCUMENT, (at + 1).toString(16).padStart(32, '0')));
  const known = engines.map(() => new Set());
  const keys = engines.map(() => new Set());
  const all = [];
  for (let count = 0; count < EDITS_EACH * REPLICAS; count += 1) {
    const at = Math.floor(random() * REPLICAS);
    if (random() < 0.3) {
      // Hears everything so far, in the order in which it was made.
      const news = all.filter((entry) => !known[at].has(entry));
      engines[at].applyChanges(news.map(({ bytes }) => bytes));
      news.forEach((entry) => {
        known[at].add(entry);
        if (entry.key) keys[at].add(entry.key);
      });
    }
    const stamped = nextEdit(random, at, count, [...keys[at]]);
    for (const bytes of engines[at].edit(JSON.stringify(stamped), stamped.at)) {
      const entry = { bytes, key: stamped.edit.type === 'insert' ? stamped.edit.key : undefined };
      all.push(entry);
      known[at].add(entry);
      if (entry.key) keys[at].add(entry.key);
    }
  }
  engines.forEach((engine) => engine.free());
  return all.map(({ bytes }) => bytes);
}

function shuffled(list, random) {
  const mixed = [...list];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}

/** Merges `changes` in the order given, some at a time, and returns the exported text. */
function mergedInWasm(changes, random) {
  const engine = new Engine(DOCUMENT, 'f'.repeat(32));
  for (let at = 0; at < changes.length; ) {
    const upTo = at + 1 + Math.floor(random() * 20);
    engine.applyChanges(changes.slice(at, upTo));
    at = upTo;
  }
  const text = engine.exportJson();
  engine.free();
  return text;
}

function mergedNatively(changes) {
  const program = process.env.PLAINSYNC_MERGE ?? fileURLToPath(new URL('../../target/debug/merge', import.meta.url));
  const input = JSON.stringify({ document: DOCUMENT, changes: changes.map((bytes) => Buffer.from(bytes).toString('base64')) });
  return execFileSync(program, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

test('d1_200_random_orders_give_one_text_in_wasm_and_natively', (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed} replays this run`);
  const random = randomFrom(seed ^ 0x5bd1e995);
  const changes = changesOf(seed);
  assert.ok(changes.length >= REPLICAS * EDITS_EACH * 0.5, `only ${changes.length} changes were made`);
  const expected = mergedInWasm(changes, random);
  assert.ok(JSON.parse(expected).jobs.length > 0);
  for (let order = 1; order < ORDERS; order += 1) {
    assert.equal(mergedInWasm(shuffled(changes, random), random), expected, `SEED=${seed} order ${order}`);
  }
  assert.equal(mergedNatively(shuffled(changes, random)), expected, `SEED=${seed} native`);
});
