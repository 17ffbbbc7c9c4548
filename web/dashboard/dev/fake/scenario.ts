/**
 * What the fake starts with. Chosen by `?scenario=` in the address.
 */
import type { FileNews, Job, JobStatus, NoticeEvent, Row } from '@plainsync/client';
import { numbers } from './sprite.ts';

export type Name =
  | 'few'
  | 'empty'
  | 'running'
  | 'thousand'
  | 'offline'
  | 'error'
  | 'conflict'
  | 'file'
  | 'loading'
  | 'refused'
  | 'failed';

export interface Scenario {
  rows: Row<Job>[];
  connection: 'online' | 'offline' | 'refused';
  waiting: number;
  saved: 'saved' | 'failed';
  notices: NoticeEvent[];
  /** What the server says of its file. */
  news?: FileNews;
  /** Whether cards are cached for the first paint. */
  cached: boolean;
  /** How long the replica takes to load, in ms. */
  loadMs: number;
}

const PROMPTS = [
  'heroic knight in dented plate, sword over the shoulder',
  'cyberpunk mage, neon runes, rain coat',
  'small pixel dragon curled around a lantern',
  'orc warrior with two axes, battle stance',
  'old wizard with a star-speckled robe and an owl',
  'mushroom merchant with an enormous backpack',
  'clockwork spider, brass, glowing core',
  'ghost pirate captain, tattered hat, translucent',
  'slime wearing a tiny crown',
  'forest archer, green hood, front view',
  'skeleton bard playing a bone lute',
  'fire elemental, molten cracks, floating',
];
const SIZES = [64, 64, 64, 32, 48, 128, 96, 256, 16, 64];
export const START = Date.UTC(2026, 10, 22, 14, 0, 0);

export function makeRow(n: number, createdAt: number, change: Partial<Job> = {}): Row<Job> {
  const next = numbers(`row ${n}`);
  const size = SIZES[n % SIZES.length] ?? 64;
  const status: JobStatus = change.status ?? 'success';
  const seconds = Math.round(next() * 90) / 10 + 0.4;
  const done = status === 'success' || status === 'error';
  const job: Job = {
    id: `job-${n}`,
    prompt: PROMPTS[n % PROMPTS.length] ?? '',
    width: size,
    height: size,
    seed: n % 3 === 0 ? String(Math.floor(next() * 100000)) : null,
    status,
    result: null,
    error: null,
    startTime: done || status === 'running' ? createdAt + 400 : null,
    endTime: done ? createdAt + 400 + seconds * 1000 : null,
    duration: done ? seconds : null,
    createdAt,
    ...change,
  };
  if (status === 'success' && job.result === null) {
    const image = `blob:sha256-fake-${n}-${job.width}-${job.height}`;
    job.result =
      n % 2
        ? image
        : { status: 'success', prompt: job.prompt, image_path: null, image_data_url: image, seed: job.seed };
  }
  return {
    key: `k${String(n).padStart(20, '0')}`,
    job,
    inBin: false,
    keptByEdit: false,
    conflicts: [],
    run: status === 'idle' ? null : { id: `r${n}`, server: 'fake' },
  };
}

function rows(count: number, changes: Record<number, Partial<Job>> = {}): Row<Job>[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, i) => makeRow(i + 1, now - (count - i) * 137_000, changes[i + 1]));
}

const ERRORS: Partial<Job>[] = [
  { status: 'error', error: '401 Unauthorized: invalid api key' },
  { status: 'error', error: '402: insufficient credits' },
  { status: 'error', error: 'interrupted: the server stopped while this ran' },
  {
    status: 'error',
    error: null,
    result: { status: 'fail', error_message: 'description: ensure this value has at most 2000 characters' },
  },
  { status: 'error', error: '<img src=x onerror=alert(1)> timed out after 120 s' },
];

const base = (): Scenario => ({
  rows: rows(14, { 14: { status: 'running' }, 13: { status: 'queued' }, 9: ERRORS[1] ?? {} }),
  connection: 'online',
  waiting: 0,
  saved: 'saved',
  notices: [],
  cached: true,
  loadMs: 60,
});

export function scenario(name: string | null): Scenario {
  const it = base();
  switch (name as Name | null) {
    case 'empty':
      return { ...it, rows: [] };
    case 'running':
      return {
        ...it,
        rows: rows(12, {
          12: { status: 'queued' },
          11: { status: 'queued' },
          10: { status: 'running' },
          9: { status: 'running' },
          8: { status: 'running' },
        }),
      };
    case 'thousand':
      return {
        ...it,
        rows: rows(
          1000,
          Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i * 25 + 3, ERRORS[i % ERRORS.length] ?? {}])),
        ),
      };
    case 'offline':
      return {
        ...it,
        connection: 'offline',
        waiting: 3,
        rows: rows(9, { 9: { status: 'queued' }, 8: { status: 'queued' } }),
      };
    case 'error':
      return {
        ...it,
        rows: rows(6, {
          6: ERRORS[0] ?? {},
          5: ERRORS[1] ?? {},
          4: ERRORS[2] ?? {},
          3: ERRORS[3] ?? {},
          2: ERRORS[4] ?? {},
        }),
      };
    case 'conflict': {
      it.rows.forEach((row, i) => {
        if (i === 11) row.conflicts = ['prompt', 'run'];
        if (i === 10) row.keptByEdit = true;
      });
      return it;
    }
    case 'file':
      return {
        ...it,
        news: {
          fileState: { state: 'unparsable', detail: 'job_history.json is not readable JSON: line 41, column 7: expected ","' },
          offer: {
            kind: 'older-version',
            heads: ['aa'],
            detail: 'an older version of job_history.json was put back; it is not taken for a wish to go back, but can be',
          },
          lastImport: {
            source: 'what the file holds',
            at: Math.floor(Date.now() / 1000),
            report: { added: 1, changed: 2, removed: 0, restored: 0, conflicting: 1, kept: 0 },
          },
        },
      };
    case 'loading':
      return { ...it, cached: false, loadMs: 60_000 };
    case 'refused':
      return { ...it, connection: 'refused', waiting: 1 };
    case 'failed':
      return { ...it, saved: 'failed', waiting: 2 };
    default:
      return it;
  }
}
