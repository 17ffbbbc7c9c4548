/**
 * What a program that uses Plainsync sees: rows, queries, status, events. Types only; nothing here runs.
 *
 * Times are milliseconds since the Unix epoch unless a name says otherwise; `duration` is in seconds, as
 * the historic files have it.
 */

/** Where a job stands. */
export type JobStatus = 'idle' | 'queued' | 'running' | 'success' | 'error';

/** The object form of a result. The string form is a data URL (or a `blob:sha256-…` reference). */
export interface JobResult {
  status: 'success' | 'fail';
  prompt?: string;
  width?: number;
  height?: number;
  duration?: number;
  timestamp?: string | number;
  image_path?: string | null;
  image_data_url?: string | null;
  seed?: string | number | null;
  error_message?: string | null;
  [field: string]: unknown;
}

/** One record of a job history. Unknown fields are kept and travel along. */
export interface Job {
  /** The label people read (`job-6`). Not the identity: that is {@link Row.key}. */
  id: string;
  prompt: string;
  width: number;
  height: number;
  seed: string | null;
  status: JobStatus;
  /** An image (`data:` URL or `blob:sha256-…` reference, see {@link Client.image}), a result object, or nothing yet. */
  result: string | JobResult | null;
  error: string | null;
  startTime: number | null;
  endTime: number | null;
  /** Seconds. */
  duration: number | null;
  createdAt: number;
  isRotation?: boolean;
  rotationData?: { sourceJobId: string; imageDataUrl: string; toDirection: string; fromDirection?: string };
  [field: string]: unknown;
}

/** One record as the view shows it. */
export interface Row<T> {
  /** Unique, opaque, never shown to people. */
  key: string;
  job: T;
  /** Removed, and can be restored. */
  inBin: boolean;
  /** Somebody removed it while somebody else edited it apart; the edit won. */
  keptByEdit: boolean;
  /** Names of the fields that hold more than one value, made apart. */
  conflicts: string[];
  /** The run that `status`, `result` and the times belong to, and the device whose server owns it. */
  run: { id: string; server: string | null } | null;
}

/** Which rows, in which order, and which window of them. */
export interface Query {
  /**
   * The query line: `status:error,queued width:>64 created:2025-10 has:conflict "two words" -dragon`. Empty: all rows. What
   * it may say is in `docs/finding.md`.
   */
  q?: string;
  /** A field, or `-field` for descending. `-created` (newest first) unless told. */
  sort?: string;
  /** `true`: the removed rows instead of the present ones. */
  bin?: boolean;
  /** Rows to skip; 0 unless told. */
  offset?: number;
  /** Rows to give; 100 unless told, at most 1,000. */
  limit?: number;
}

/** A window of rows, and how many match altogether. */
export interface Page<T> {
  rows: Row<T>[];
  total: number;
  /** How many rows of all that match come before these. */
  offset: number;
}

/** Which rows of all that match a window shows. */
export interface Stretch {
  /** Rows to skip. */
  offset: number;
  /** Rows to give, at most 1,000. */
  limit: number;
}

/** A query that means nothing. */
export interface QueryFault {
  /** A sentence. */
  message: string;
  /** Where in the query line, in characters, counted from 1; `null` where it is the whole. */
  at: number | null;
}

/** A window that is kept up to date. Called as a function it stops. */
export interface Subscription {
  (): void;
  /** Shows other rows of the same query. The listener hears them as soon as they are known. */
  move(stretch: Stretch): void;
}

/** One of the values that stand at a field that was edited apart. */
export interface Side {
  /** Names the edit that wrote it. */
  op: string;
  /** The value; where the field is `run`, the fields of that run. */
  value: unknown;
  /** Where the field is `run`: the run's id. */
  run?: string;
  /** The device that wrote it; `null` for files and other programs. */
  device: string | null;
  /** The person or program, if it said so. */
  author: string | null;
  /** When, as the writer's clock said. */
  at: number | null;
}

/** A field that was edited apart to different values. */
export interface Conflict {
  /** The field; `run` stands for status, result and times of a run together. */
  field: string;
  /** The values that stand there; the one that is shown is the last. */
  values: Side[];
}

/** Counters over all present rows. `averageDuration` is in seconds. */
export interface Stats {
  total: number;
  idle: number;
  queued: number;
  running: number;
  success: number;
  error: number;
  bin: number;
  /** Rows with fields that were edited apart. */
  conflicts: number;
  /** 0 to 1; `null` before the first run ended. */
  successRate: number | null;
  averageDuration: number | null;
}

/** Where the edits are. Every field is true when it is read: nothing is promised ahead. */
export interface Status {
  /** `saved`: every edit made here is committed to this browser's database. `failed`: see `detail`. */
  saved: 'saving' | 'saved' | 'failed';
  /** Edits that the server has not yet confirmed as durable. */
  waiting: number;
  /** When the oldest of them was made. */
  oldestWaitingAt: number | null;
  /** `refused`: the server answered and said no; `detail` has its reason. */
  connection: 'offline' | 'connecting' | 'online' | 'refused';
  /** The server's durable heads contain everything this replica has. `false` while unknown. */
  serverHasIt: boolean;
  /** Other tabs, programs and people known to have this document open now. */
  peers: number;
  /** The device id of the server last synced with. */
  serverId: string | null;
  detail?: string;
}

/** How the JSON file at the server does, and what may be decided about it. */
export interface FileNews {
  fileState: {
    /** `ok`, `missing`, `unparsable`, `parked`, `awaiting-answer`, `not-written`, `read-only`, or a newer word. */
    state: string;
    /** A sentence, with line and column where there are any. */
    detail?: string;
  };
  /** What may be done about the file, and is not done by itself. */
  offer?: {
    /** `older-version`, `start-fresh`, or a newer word. */
    kind: string;
    /** The version that it is about. */
    heads?: string[];
    detail: string;
  };
  /** What the last file that changed something brought. */
  lastImport?: {
    /** Which file, in words. */
    source: string;
    /** When, in seconds since the Unix epoch. */
    at: number;
    report: { added: number; changed: number; removed: number; restored: number; conflicting: number; kept: number };
  };
}

/** A value that can be read now and watched. */
export interface Readable<V> {
  get(): V;
  /** Calls `listener` at once and after each change; returns the way to stop. */
  subscribe(listener: (value: V) => void): () => void;
}

/**
 * What a program says of itself: plain data (objects, lists, text, numbers, `true`, `false`, `null`, `Uint8Array`). Its members
 * are the channels of automerge-repo's `Presence`, whose programs say and hear the same.
 */
export type PresenceState = Record<string, unknown>;

/** Another tab or program that has the document open. */
export interface Peer {
  /** Its name, new with each load. Peers give it themselves: it proves nothing. */
  peer: string;
  /** What it says of itself, as it came; `{}` when it says nothing, or more than is kept. */
  state: PresenceState;
  /** When it was last heard. */
  heardAt: number;
}

/** Who has the document open, and what each says of itself. Nothing of this is kept anywhere. */
export interface Presence {
  /**
   * From now on says this, and no longer what was set before, to all who are here and all who come, as long as the
   * page lives. It is copied. Throws when it is not plain data, takes more than 8 KiB or has more than 2,000 values, and then
   * changes nothing.
   */
  set(state: PresenceState): void;
  /**
   * The others, in the order in which they came, at most 1,000. Listeners hear when one comes, goes or says something
   * else, at most every 50 ms; `heardAt` is as new as the last {@link Readable.get}. Of one peer at most 8 KiB are kept, of
   * all 1 MiB. Empty while offline; who falls silent is gone after 45 seconds.
   */
  readonly others: Readable<readonly Peer[]>;
}

/** A line of the log, in the areas and levels of the old console. */
export interface LogEvent {
  area: 'SYSTEM' | 'JOB' | 'API' | 'UI' | 'QUEUE';
  level: 'INFO' | 'SUCCESS' | 'WARNING' | 'ERROR' | 'DEBUG';
  message: string;
  data?: unknown;
}

/** Rows that came, changed or went, here or elsewhere. Large changes arrive as several events. */
export interface ChangeEvent<T> {
  added: Row<T>[];
  updated: Row<T>[];
  removed: Row<T>[];
  origin: 'local' | 'remote';
}

/** Something failed. The client goes on unless `fatal`. */
export interface ErrorEvent {
  code: 'edit-refused' | 'storage' | 'worker' | 'sync' | 'import';
  message: string;
  fatal: boolean;
}

/** Something people should know or decide, none of it an error of the program. */
export interface NoticeEvent {
  /**
   * - `file`: the state of the JSON file at the server changed (`data` is `{state, detail}`)
   * - `storage-full`: localStorage is full; edits are kept in the database alone
   * - `degraded`: this browser lacks something (IndexedDB, locks, localStorage); `message` says what follows
   * - `document-changed`: the server now serves another document (`data` is `{from, to, waiting}`)
   * - `old-data`: data of the old dashboard was taken in (`data` is the import's counts)
   * - `worker-restarted`: the engine was restarted from storage; nothing is lost
   */
  code: 'file' | 'storage-full' | 'degraded' | 'document-changed' | 'old-data' | 'worker-restarted';
  level: 'info' | 'warning' | 'error';
  message: string;
  data?: unknown;
}

/** What an import did. */
export interface ImportResult {
  added: number;
  changed: number;
  /** Records that were equal already, or older than what is here. */
  ignored: number;
}

/** Each event's payload. */
export interface Events<T> {
  log: LogEvent;
  change: ChangeEvent<T>;
  error: ErrorEvent;
  notice: NoticeEvent;
}

/** All optional: `open()` alone talks to the origin that served the page. */
export interface OpenOptions {
  /** The server's origin, such as `http://127.0.0.1:8787`. The page's own origin unless told. */
  server?: string;
  /** A document's id, its `automerge:` URL, or its name at the server. The server's first document unless told. */
  document?: string;
  /** Where `worker.js` is, when a bundler moved it. */
  workerUrl?: URL | string;
  /** Where `plainsync_wasm_bg.wasm` is, when a bundler moved it. */
  wasmUrl?: URL | string;
  /** Recorded with this browser's edits, so that conflicts can say where a value came from. */
  deviceName?: string;
  /** How many rows are kept for the first paint; 24 unless told, at most 100. */
  firstRows?: number;
}

/** The rows of one document, and everything one may do to them. */
export interface Jobs<T> {
  /** Adds a record; resolves when it is saved in this browser's database. `run`: order a run of it too. */
  insert(record: Partial<T>, options?: { run?: boolean }): Promise<Row<T>>;
  /** Sets and removes fields of one record; resolves when saved here. */
  change(key: string, set: Partial<T>, unset?: string[]): Promise<void>;
  /** Moves to the bin. */
  remove(keys: string | string[]): Promise<void>;
  /** Takes out of the bin. */
  restore(keys: string | string[]): Promise<void>;
  /** Deletes from the bin for good. */
  purge(keys: string | string[]): Promise<void>;
  /** Orders a run at the server last synced with. Rejects when no server is known yet. */
  run(keys: string | string[]): Promise<void>;
  /** Moves all present rows to the bin; the keys are what an Undo passes to `restore`. */
  clear(): Promise<{ keys: string[] }>;
  get(key: string): Promise<Row<T> | undefined>;
  /** What stands against what in a record, with who wrote it. */
  conflicts(key: string): Promise<Conflict[]>;
  /**
   * Settles a conflict as it was shown: keeps one of its sides, or a value of one's own. Rejects, and changes nothing, when
   * somebody has changed that field since.
   */
  resolve(key: string, conflict: Conflict, keep: { side: Side } | { value: unknown }): Promise<void>;
  query(query?: Query): Promise<Page<T>>;
  /**
   * Keeps one window up to date. The listener is called as soon as the window is known (with the cached rows
   * at once, when the query is the default one), then whenever it changes; the result moves or stops it.
   * A query that cannot be understood goes to `fault`, and is an `error` event where there is none.
   */
  subscribe(query: Query, listener: (page: Page<T>) => void, fault?: (fault: QueryFault) => void): Subscription;
}

/** One open document. */
export interface Client<T extends object = Job> {
  /** The local replica is loaded; edits made earlier are safe and applied. Never waits for the server. */
  readonly ready: Promise<void>;
  /** Rows for the first paint, known before anything has loaded; images in them are `data:` URLs. */
  readonly first: readonly Row<T>[];
  readonly jobs: Jobs<T>;
  readonly stats: Readable<Stats>;
  readonly status: Readable<Status>;
  /** The JSON file at the server, as last heard: within a moment while connected. `null` before the first word. */
  readonly file: Readable<FileNews | null>;
  readonly presence: Presence;
  on<E extends keyof Events<T>>(event: E, listener: (payload: Events<T>[E]) => void): () => void;
  /**
   * A `blob:sha256-…` reference or `data:` URL as something an `<img>` can show. Rejects with the reason
   * when the image is not here and cannot be fetched, or is not PNG, JPEG, WebP or GIF.
   */
  image(value: string): Promise<string>;
  /** The bytes of the file as this replica would write it, as text. */
  exportJson(): Promise<string>;
  /**
   * Takes in a historic file, an export, or a dump of the old localStorage. What carries no version only adds and
   * updates; an export that names its version is merged as the fork that it is.
   */
  importText(text: string): Promise<ImportResult>;
  /** Resolves when all edits made so far are durable in this browser. */
  flush(): Promise<void>;
  /** Flushes, then stops the worker and forgets all listeners. */
  close(): Promise<void>;
}
