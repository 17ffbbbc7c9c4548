// A history as the old dashboard wrote it: both forms of `result`, string seeds, rotations, failures,
// fields nobody knows and fields that are missing. The same for the same length.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { spriteUrl } from './sprite.mjs';

const PROMPTS = [
  'heroic knight in dented plate, sword over the shoulder',
  'cyberpunk mage, neon runes, rain coat',
  'small pixel dragon curled around a lantern',
  'battle-worn warrior with two axes',
  'old wizard with a star-speckled robe and an owl on the left shoulder, looking as if it had not slept for a week, moonlight from behind',
  'mushroom merchant with an enormous backpack',
  'ghost pirate',
];
const SIDES = [64, 32, 64, 48, 16, 128, 64];
const DIRECTIONS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'];
const ERRORS = ['402: insufficient credits', '429: Too many requests', null];
const START = Date.UTC(2026, 0, 5, 9, 0, 0);

function job(at) {
  const createdAt = START + at * 61_000;
  const side = SIDES[at % SIDES.length];
  const base = {
    id: `job-${at + 1}`,
    prompt: PROMPTS[at % PROMPTS.length],
    width: side,
    height: side,
    seed: at % 3 === 0 ? String(at * 7) : null,
    status: 'success',
    result: null,
    error: null,
    startTime: createdAt + 150,
    endTime: createdAt + 1_400,
    duration: 1.25,
    createdAt,
  };
  if (at % 10 === 9) {
    const error = ERRORS[at % ERRORS.length];
    return { ...base, status: 'error', error, result: error === null ? { status: 'fail', error_message: 'the service closed the connection' } : null };
  }
  if (at % 40 === 11) return { ...base, status: 'idle', startTime: null, endTime: null, duration: null };
  const image = spriteUrl(side, at);
  const { prompt, width, height, duration, seed } = base;
  const result =
    at % 2 === 0
      ? image
      : { status: 'success', prompt, width, height, duration, timestamp: new Date(base.endTime).toISOString(), image_path: `generated/${at}.png`, image_data_url: image, seed, error_message: null };
  const done = { ...base, result };
  if (at % 16 === 6) Object.assign(done, { isRotation: true, rotationData: { sourceJobId: `job-${at}`, imageDataUrl: image, toDirection: DIRECTIONS[at % 8], fromDirection: 'south' } });
  if (at % 50 === 7) done.favourite = { stars: 5, note: 'für später' };
  if (at % 50 === 8) delete done.seed;
  return done;
}

/** A history of `count` jobs. */
export function history(count) {
  return { jobs: Array.from({ length: count }, (_, at) => job(at)), lastJobId: count + 1, savedAt: new Date(START + count * 61_000).toISOString(), version: '1.0' };
}

/** A folder that holds `file` as its history; it goes with the test. */
export async function folderWith(t, file) {
  const folder = await mkdtemp(join(tmpdir(), 'plainsync-screens-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })); // The server may still be writing its last version.
  await writeFile(join(folder, 'job_history.json'), JSON.stringify(file, null, 2));
  return folder;
}
