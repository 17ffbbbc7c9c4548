/**
 * Where the edits are, in words (B5).
 *
 * **Invariant:** "server has it" is said only while the server's durable state contains everything
 * made here, and nothing waits.
 */
import type { Status } from '@plainsync/client';
import { age, count } from './format.ts';

/** What the pill looks like; each has a shape of its own besides its colour. */
export type Tone = 'synced' | 'working' | 'waiting' | 'offline' | 'refused' | 'failed';

export interface Described {
  tone: Tone;
  /** The few words that fit everywhere. */
  short: string;
  /** All of it, in the order in which an edit travels. */
  parts: string[];
  /** Whole sentences for the panel behind the pill. */
  lines: { label: string; text: string; ok: boolean }[];
}

function toneOf(status: Status): Tone {
  if (status.saved === 'failed') return 'failed';
  if (status.connection === 'refused') return 'refused';
  if (status.connection === 'offline') return 'offline';
  if (status.saved === 'saving' || status.connection === 'connecting') return 'working';
  return status.waiting === 0 && status.serverHasIt ? 'synced' : 'waiting';
}

/** `3 waiting (oldest 2 min)`; null when nothing waits. */
export function waitingWords(status: Status, now: number): string | null {
  if (status.waiting === 0) return null;
  const oldest = status.oldestWaitingAt === null ? '' : ` (oldest ${age(status.oldestWaitingAt, now)})`;
  return `${status.waiting.toLocaleString('en')} waiting${oldest}`;
}

function savedWords(status: Status): string {
  if (status.saved === 'failed') return 'Not saved';
  return status.saved === 'saving' ? 'Saving…' : 'Saved here';
}

function serverWords(status: Status): string | null {
  switch (status.connection) {
    case 'offline':
      return 'offline';
    case 'refused':
      return 'server refused';
    case 'connecting':
      return 'connecting…';
    case 'online':
      return status.waiting === 0 && status.serverHasIt ? 'server has it' : null;
  }
}

function peerWords(status: Status): string | null {
  return status.peers > 0 ? count(status.peers, 'peer') : null;
}

function shortWords(tone: Tone, status: Status): string {
  switch (tone) {
    case 'failed':
      return 'Not saved';
    case 'refused':
      return 'Refused';
    case 'offline':
      return status.waiting > 0 ? `Offline · ${status.waiting.toLocaleString('en')}` : 'Offline';
    case 'working':
      return status.saved === 'saving' ? 'Saving…' : 'Connecting…';
    case 'waiting':
      return status.waiting > 0 ? `${status.waiting.toLocaleString('en')} waiting` : 'Saved here';
    case 'synced':
      return 'Synced';
  }
}

function serverLine(status: Status): string {
  switch (status.connection) {
    case 'offline':
      return 'Out of reach. Work goes on here and is sent when it is back.';
    case 'refused':
      return `It answered and said no${status.detail ? `: ${status.detail}` : ''}.`;
    case 'connecting':
      return 'Connecting…';
    case 'online':
      return status.waiting === 0 && status.serverHasIt
        ? 'Has everything, on disk.'
        : 'Connected; has not confirmed everything yet.';
  }
}

export function describe(status: Status, now: number): Described {
  const tone = toneOf(status);
  const waiting = waitingWords(status, now);
  const parts = [savedWords(status), waiting, serverWords(status), peerWords(status)].filter((part) => part !== null);
  const saved =
    status.saved === 'failed'
      ? `The last edit could not be written${status.detail ? `: ${status.detail}` : ''}.`
      : status.saved === 'saving'
        ? 'Writing the last edit…'
        : 'Every edit is in this browser’s database.';
  return {
    tone,
    short: shortWords(tone, status),
    parts,
    lines: [
      { label: 'This browser', text: saved, ok: status.saved === 'saved' },
      {
        label: 'Waiting',
        text: waiting
          ? `${count(status.waiting, 'edit')} for the server${status.oldestWaitingAt === null ? '' : `, the oldest ${age(status.oldestWaitingAt, now)} old`}.`
          : 'Nothing.',
        ok: waiting === null,
      },
      { label: 'Server', text: serverLine(status), ok: tone === 'synced' },
      {
        label: 'Peers',
        text:
          status.peers > 0
            ? `${count(status.peers, 'other tab, program or person', 'other tabs, programs or people')} on this list now.`
            : 'Nobody else on this list right now.',
        ok: true,
      },
    ],
  };
}
