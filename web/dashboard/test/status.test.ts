import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '@plainsync/client';
import { describe } from '../src/pure/status.ts';
import type { Tone } from '../src/pure/status.ts';

const NOW = 1_000_000;
const status = (change: Partial<Status>): Status => ({
  saved: 'saved',
  waiting: 0,
  oldestWaitingAt: null,
  connection: 'online',
  serverHasIt: true,
  peers: 0,
  serverId: 's',
  ...change,
});

const CASES: [string, Partial<Status>, Tone, string][] = [
  ['all is well', {}, 'synced', 'Saved here · server has it'],
  ['peers are counted', { peers: 2 }, 'synced', 'Saved here · server has it · 2 peers'],
  [
    'edits wait',
    { waiting: 3, oldestWaitingAt: NOW - 125_000, serverHasIt: false },
    'waiting',
    'Saved here · 3 waiting (oldest 2 min)',
  ],
  [
    'offline',
    { connection: 'offline', waiting: 1, oldestWaitingAt: NOW - 4_000, serverHasIt: false },
    'offline',
    'Saved here · 1 waiting (oldest 4 s) · offline',
  ],
  ['offline, all known to be there', { connection: 'offline' }, 'offline', 'Saved here · offline'],
  ['saving', { saved: 'saving', waiting: 1, serverHasIt: false }, 'working', 'Saving… · 1 waiting'],
  ['connecting', { connection: 'connecting', serverHasIt: false }, 'working', 'Saved here · connecting…'],
  [
    'refused',
    { connection: 'refused', detail: 'no token', serverHasIt: false },
    'refused',
    'Saved here · server refused',
  ],
  [
    'not saved beats everything',
    { saved: 'failed', connection: 'offline', waiting: 2, serverHasIt: false },
    'failed',
    'Not saved · 2 waiting · offline',
  ],
  ['the server has not said so', { serverHasIt: false }, 'waiting', 'Saved here'],
];

for (const [name, change, tone, words] of CASES) {
  test(`b5_the_pill_says: ${name}`, () => {
    const said = describe(status(change), NOW);
    assert.equal(said.tone, tone);
    assert.equal(said.parts.join(' · '), words);
  });
}

test('b5_server_has_it_is_said_only_when_nothing_waits_and_the_server_confirmed', () => {
  for (const saved of ['saved', 'saving', 'failed'] as const) {
    for (const connection of ['online', 'offline', 'connecting', 'refused'] as const) {
      for (const waiting of [0, 1]) {
        for (const serverHasIt of [true, false]) {
          const said = describe(status({ saved, connection, waiting, serverHasIt }), NOW);
          if (said.parts.includes('server has it')) assert.ok(connection === 'online' && waiting === 0 && serverHasIt);
          if (said.tone === 'synced')
            assert.ok(saved === 'saved' && connection === 'online' && waiting === 0 && serverHasIt);
        }
      }
    }
  }
});
