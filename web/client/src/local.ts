/**
 * The page's half of storage: one document's keys in localStorage.
 *
 * ```
 * plainsync/<document>/edit/<id>      {id, at, edit, tab}: made here, not yet in the database
 * plainsync/<document>/chunk/<hash>   checksummed chunk as text; written once, never changed
 * plainsync/<document>/aside/<id>     an edit of an earlier load that the engine refused: kept for people
 * plainsync/<document>/first          rows for the first paint
 * ```
 *
 * **Invariant:** every key has one writer and is written once (but `first`, a cache), so tabs never overwrite
 * each other. Nothing here throws: a full or forbidden localStorage answers `false`.
 */
import type { ChunkText, FirstRows, StampedEdit } from './protocol.js';

/** The part of `Storage` that is used: what a test has to imitate. */
export type KeyValue = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/** An edit as it lies in localStorage, with the tab load that made it (absent: nobody's, take it). */
export interface KeptEdit extends StampedEdit {
  tab?: string;
}

/** Above this many UTF-16 units of chunks, folding is due (5 million are the usual quota of an origin). */
export const LOCAL_UNITS_FOLD = 700_000;
/** The first-paint rows may take this many units; beyond it fewer are kept. */
export const FIRST_UNITS_MAX = 300_000;

const PREFIX = 'plainsync/';

/** The browser's localStorage, or nothing where it is forbidden. */
export function browserStorage(): KeyValue | null {
  try {
    const storage = globalThis.localStorage;
    const probe = `${PREFIX}probe`;
    storage.setItem(probe, '1');
    storage.removeItem(probe);
    return storage;
  } catch (error) {
    // Full is not forbidden: what is stored can still be read and removed.
    return isQuota(error) ? globalThis.localStorage : null;
  }
}

/** Whether `error` says that the quota is reached. */
export function isQuota(error: unknown): boolean {
  return error instanceof DOMException && (error.name === 'QuotaExceededError' || error.name === 'NS_ERROR_DOM_QUOTA_REACHED');
}

/** Reads one key; anything unreadable is as good as absent. */
export function read(storage: KeyValue | null, key: string): string | null {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** Writes one key; `false` when it could not be written. */
export function write(storage: KeyValue | null, key: string, value: string): boolean {
  try {
    if (!storage) return false;
    storage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** Removes one key. */
export function remove(storage: KeyValue | null, key: string): void {
  try {
    storage?.removeItem(key);
  } catch {
    // Forbidden: then nothing is there either.
  }
}

/** Reads a key that holds JSON of our own making; `undefined` when absent or damaged. */
export function readJson<V>(storage: KeyValue | null, key: string, valid: (value: unknown) => value is V): V | undefined {
  const text = read(storage, key);
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return valid(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One document's keys. */
export class LocalStore {
  readonly #storage: KeyValue | null;
  readonly #base: string;

  constructor(storage: KeyValue | null, document: string) {
    this.#storage = storage;
    this.#base = `${PREFIX}${document}/`;
  }

  /** Keeps an edit before anybody acts on it. `false`: not kept here, the database must hold it alone. */
  putEdit(edit: KeptEdit): boolean {
    return write(this.#storage, `${this.#base}edit/${edit.id}`, JSON.stringify(edit));
  }

  removeEdit(id: string): void {
    remove(this.#storage, `${this.#base}edit/${id}`);
  }

  /** Takes an edit out of the way without losing it. */
  setAside(edit: StampedEdit): void {
    if (write(this.#storage, `${this.#base}aside/${edit.id}`, JSON.stringify(edit))) this.removeEdit(edit.id);
  }

  /** All edits kept here, of every tab, oldest first. Damaged entries stay where they are. */
  edits(): KeptEdit[] {
    const found: KeptEdit[] = [];
    for (const name of this.#names('edit/')) {
      const edit = readJson(this.#storage, `${this.#base}edit/${name}`, isKeptEdit);
      if (edit) found.push(edit);
    }
    return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  /** Keeps a chunk. An entry of that name is the same bytes and is left alone. */
  putChunk(chunk: ChunkText): boolean {
    const key = `${this.#base}chunk/${chunk.hash}`;
    return read(this.#storage, key) !== null || write(this.#storage, key, chunk.text);
  }

  chunk(hash: string): ChunkText | undefined {
    const text = read(this.#storage, `${this.#base}chunk/${hash}`);
    return text === null ? undefined : { hash, text };
  }

  chunkHashes(): string[] {
    return this.#names('chunk/');
  }

  /** Deletes exactly these chunks. */
  removeChunks(hashes: Iterable<string>): void {
    for (const hash of hashes) remove(this.#storage, `${this.#base}chunk/${hash}`);
  }

  /** How many UTF-16 units the chunks take, keys included. */
  chunkUnits(): number {
    let units = 0;
    for (const hash of this.chunkHashes()) {
      const key = `${this.#base}chunk/${hash}`;
      units += key.length + (read(this.#storage, key)?.length ?? 0);
    }
    return units;
  }

  first(): FirstRows | undefined {
    return readJson(this.#storage, `${this.#base}first`, isFirstRows);
  }

  /** Rewrites the first-paint rows, with as many of them as fit. */
  putFirst(first: FirstRows): void {
    const rows = [...first.rows];
    let text = JSON.stringify(first);
    while (text.length > FIRST_UNITS_MAX && rows.length > 0) {
      rows.length = Math.floor(rows.length / 2);
      text = JSON.stringify({ ...first, rows });
    }
    // At the quota the old cache would show old rows: better none.
    if (!write(this.#storage, `${this.#base}first`, text)) remove(this.#storage, `${this.#base}first`);
  }

  #names(kind: string): string[] {
    const prefix = this.#base + kind;
    const names: string[] = [];
    try {
      for (let index = 0; index < (this.#storage?.length ?? 0); index += 1) {
        const key = this.#storage?.key(index);
        if (key?.startsWith(prefix)) names.push(key.slice(prefix.length));
      }
    } catch {
      // Forbidden meanwhile: what was found so far.
    }
    return names;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isKeptEdit(value: unknown): value is KeptEdit {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    typeof value['at'] === 'number' &&
    isObject(value['edit']) &&
    typeof value['edit']['type'] === 'string'
  );
}

function isFirstRows(value: unknown): value is FirstRows {
  return (
    isObject(value) &&
    Array.isArray(value['rows']) &&
    value['rows'].every((row) => isObject(row) && typeof row['key'] === 'string' && isObject(row['job'])) &&
    typeof value['total'] === 'number' &&
    isObject(value['stats'])
  );
}
