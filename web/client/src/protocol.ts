/**
 * What page and worker say to each other.
 *
 * The page posts plain objects ({@link ToWorker}). The worker posts {@link Parcel}s: one message as JSON text,
 * made in wasm, with the bytes that belong to it beside it. Messages arrive in order and each is complete;
 * a `call` number ties an answer to its question.
 */
import type { Conflict, FileNews, ImportResult, LogEvent, Page, Query, Row, Stats, Status, Stretch } from './types.js';

/** What is asked for, in the words of the engine. */
export type Edit =
  | { type: 'insert'; key: string; record: object; order?: RunOrder }
  | { type: 'change'; key: string; set: object; unset: string[] }
  | { type: 'remove' | 'restore' | 'purge'; keys: string[] }
  | { type: 'run'; keys: string[]; orders: RunOrder[] }
  | { type: 'resolve'; key: string; field: string; value: unknown; seen: string[] };

/** An order to run a job, naming the one server that may. */
export interface RunOrder {
  runId: string;
  server: string;
}

/** An edit with its own name and time: what is written to localStorage and what the worker applies once. */
export interface StampedEdit {
  id: string;
  /** When the person made it, ms since the epoch. */
  at: number;
  edit: Edit;
}

/** A chunk as localStorage holds it: checksummed, framed, as text; `hash` names it. */
export interface ChunkText {
  hash: string;
  text: string;
}

/** Page to worker. */
export type ToWorker =
  /** Before the document is known: what does the database know of this server? Answered by `recalled`. */
  | { type: 'recall'; server: string; wasmUrl: string | null }
  | {
      type: 'open';
      document: string;
      /** http origin; the socket's address and the blobs' follow from it. */
      server: string;
      device: string;
      author: string | null;
      /** What the page knows of the server, to be recalled when localStorage has lost it. */
      home: string;
      /** Hashes of the chunks that localStorage holds. */
      hashes: string[];
      wasmUrl: string | null;
    }
  | { type: 'edits'; edits: StampedEdit[]; replay: boolean }
  | { type: 'subscribe'; sub: number; query: Query }
  | ({ type: 'move'; sub: number } & Stretch)
  | { type: 'unsubscribe'; sub: number }
  | { type: 'call'; call: number; ask: Ask }
  /** Back from the page cache: load what others wrote, connect anew. */
  | { type: 'resume' }
  /** The network came or went, as far as the browser knows: a hint to try now. */
  | { type: 'network'; online: boolean }
  /** Say this presence message, now and to whoever comes, until there is another one. */
  | { type: 'presence'; bytes: Uint8Array<ArrayBuffer> }
  /** In `page` storage: whether the page wrote what `keep` asked it to. */
  | { type: 'kept'; seq: number; ok: boolean }
  | { type: 'close' };

/** Questions with one answer. */
export type Ask =
  | { type: 'query'; query: Query }
  | { type: 'get'; key: string }
  | { type: 'conflicts'; key: string }
  | { type: 'keys' }
  | { type: 'image'; blob: string }
  | { type: 'first'; limit: number }
  | { type: 'export' }
  | { type: 'import'; text: string; origin: string }
  /** Take in chunks of localStorage that the database lacks. */
  | { type: 'chunks'; chunks: ChunkText[] }
  /** Fold the chunks into one. Asked only while holding the document's fold lock. */
  | { type: 'fold' };

/** What each question is answered with. */
export interface Answers {
  query: Page<object>;
  get: Row<object> | null;
  conflicts: Conflict[];
  keys: string[];
  image: { mime: string };
  first: FirstRows;
  export: string;
  import: ImportResult;
  /** `drop`: chunks that hold nothing new, because they were folded long ago. */
  chunks: { drop: string[] };
  fold: Folded;
}

/** Chunks that are in one newer chunk, which is committed and was read back: their copies may be deleted. */
export interface Folded {
  hashes: string[];
  /** The new chunk when it is small enough for localStorage. */
  into: ChunkText | null;
}

/** What is painted before anything has loaded. */
export interface FirstRows {
  rows: Row<object>[];
  total: number;
  stats: Stats;
}

/** Where chunks are durable. `page`: IndexedDB is missing, localStorage must hold every chunk. */
export type StorageKind = 'indexeddb' | 'page';

/** Worker to page. */
export type FromWorker =
  /** What an earlier `open` said of this server. */
  | { type: 'recalled'; home: string | null }
  /** The replica is loaded. `want`: chunks of the page that are not in the database. */
  | { type: 'ready'; storage: StorageKind; want: string[]; warnings: string[] }
  /** `page` storage: write these, then say `kept`. */
  | { type: 'keep'; seq: number; chunks: ChunkText[] }
  /** These edits are committed. `chunks` replace them in localStorage. */
  | { type: 'saved'; edits: { id: string; rows: Row<object>[] }[]; chunks: ChunkText[]; status: WorkerStatus }
  /** The engine refuses this edit for good; it changed nothing. */
  | { type: 'refused'; id: string; message: string }
  /** The database failed; nothing was lost from localStorage, and the worker tries again. */
  | { type: 'storage-failed'; message: string }
  | { type: 'answer'; call: number; value: unknown }
  | { type: 'failed'; call: number; message: string }
  /** A window: the keys of all rows in it, in order, and those rows that it was not told before. */
  | { type: 'page'; sub: number; offset: number; total: number; keys: string[]; rows: Row<object>[] }
  | { type: 'page-failed'; sub: number; message: string; at: number | null }
  | { type: 'stats'; stats: Stats }
  | { type: 'status'; status: WorkerStatus }
  | { type: 'change'; added: Row<object>[]; updated: Row<object>[]; removed: Row<object>[]; origin: 'local' | 'remote' }
  | ({ type: 'log' } & LogEvent)
  | { type: 'error'; code: 'sync' | 'storage'; message: string }
  /** The server says how its file does: its own words, passed through. */
  | { type: 'news'; news: FileNews }
  /** Somebody's presence message; no bytes when it was too large. It came beside the JSON. */
  | { type: 'presence'; sender: string; bytes: Uint8Array }
  /** Everything the server had at connecting time is here. Said once per connection. */
  | { type: 'synced' }
  /** The database holds many small chunks: folding is due. */
  | { type: 'fold-due' }
  | { type: 'closed' }
  /** The engine trapped: throw this worker away. */
  | { type: 'dead'; message: string };

/** The worker's part of the status; the page adds the edits that it has not handed over yet, and the peers. */
export type WorkerStatus = Pick<Status, 'waiting' | 'oldestWaitingAt' | 'connection' | 'serverHasIt' | 'serverId'> & {
  detail: string | null;
};

/** One message from the worker as it is posted. */
export interface Parcel {
  json: string;
  bytes?: Uint8Array<ArrayBuffer>;
}
