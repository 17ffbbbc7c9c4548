/**
 * Data that the old dashboard left at this origin (`pixellab_jobs_v1`): taken in once (B6).
 *
 * It stays where it is; a marker remembers what was taken in, so that the same text is not imported again and a
 * text that an old page wrote meanwhile is.
 */
import { read, write, type KeyValue } from './local.js';
import type { ImportResult } from './types.js';

export const OLD_KEY = 'pixellab_jobs_v1';
const DONE_KEY = 'plainsync/old-data';

/** Imports the old data unless that was done; resolves to what it did, or `null` when there was nothing to do. */
export async function takeOldData(
  storage: KeyValue | null,
  document: string,
  take: (text: string) => Promise<ImportResult>,
): Promise<ImportResult | null> {
  const text = read(storage, OLD_KEY);
  if (text === null) return null;
  const marker = `${document} ${fingerprint(text)}`;
  const done = read(storage, DONE_KEY);
  if (done === marker) return null;
  // Taken in for another document of this origin: data of one project must not leak into the next.
  if (done !== null && !done.startsWith(`${document} `)) return null;
  const result = await take(text);
  write(storage, DONE_KEY, marker);
  return result;
}

/** Length and a 32-bit FNV-1a: enough to tell whether a text was seen before. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return `${text.length}-${hash.toString(16)}`;
}
