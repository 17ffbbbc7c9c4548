/**
 * The interface of `@plainsync/client` as the dashboard needs it.
 *
 * A stand-in for the package's own types; replaced by them.
 */
export interface Job {
  id: string;
  prompt: string;
  width: number;
  height: number;
  seed: string | null;
  status: 'idle' | 'queued' | 'running' | 'success' | 'error';
  result: unknown;
  error: string | null;
  startTime: number | null;
  endTime: number | null;
  duration: number | null;
  createdAt: number;
  isRotation?: boolean;
  rotationData?: { sourceJobId: string; imageDataUrl: string; toDirection: string; fromDirection: string };
  [field: string]: unknown;
}
export interface Row<T = Job> {
  key: string;
  job: T;
  inBin: boolean;
  keptByEdit: boolean;
  conflicts: string[];
  run: { id: string; server: string | null } | null;
}
export interface Query { q?: string; sort?: string; bin?: boolean; offset?: number; limit?: number }
export interface Page<T = Job> { rows: Row<T>[]; total: number }
export interface Stats {
  total: number; idle: number; queued: number; running: number; success: number; error: number; bin: number;
  successRate: number | null; averageDuration: number | null;
}
export interface Status {
  saved: 'saving' | 'saved' | 'failed';
  waiting: number;
  oldestWaitingAt: number | null;
  connection: 'offline' | 'connecting' | 'online' | 'refused';
  serverHasIt: boolean;
  peers: number;
  serverId: string | null;
  detail?: string;
}
export interface Readable<V> { get(): V; subscribe(fn: (value: V) => void): () => void }
export interface LogLine {
  area: 'SYSTEM' | 'JOB' | 'API' | 'UI' | 'QUEUE';
  level: 'INFO' | 'SUCCESS' | 'WARNING' | 'ERROR' | 'DEBUG';
  message: string;
  data?: unknown;
}
export interface Change<T = Job> { added: Row<T>[]; updated: Row<T>[]; removed: Row<T>[]; origin: 'local' | 'remote' }
export interface Notice { state: string; detail?: string }
export interface Events<T> { log: LogLine; change: Change<T>; error: unknown; notice: Notice }
export interface OpenOptions {
  server?: string; document?: string; workerUrl?: URL | string; wasmUrl?: URL | string; deviceName?: string; firstRows?: number;
}
export interface Client<T = Job> {
  readonly ready: Promise<void>;
  readonly first: readonly Row<T>[];
  readonly jobs: {
    insert(record: Partial<T>, options?: { run?: boolean }): Promise<Row<T>>;
    change(key: string, set: Partial<T>, unset?: string[]): Promise<void>;
    remove(keys: string | string[]): Promise<void>;
    restore(keys: string | string[]): Promise<void>;
    purge(keys: string | string[]): Promise<void>;
    run(keys: string | string[]): Promise<void>;
    clear(): Promise<{ keys: string[] }>;
    get(key: string): Promise<Row<T> | undefined>;
    query(query?: Query): Promise<Page<T>>;
    subscribe(query: Query, listener: (page: Page<T>) => void): () => void;
  };
  readonly stats: Readable<Stats>;
  readonly status: Readable<Status>;
  on<E extends keyof Events<T>>(event: E, listener: (value: Events<T>[E]) => void): () => void;
  image(value: string): Promise<string>;
  exportJson(): Promise<string>;
  importText(text: string): Promise<{ added: number; changed: number; ignored: number }>;
  flush(): Promise<void>;
  close(): Promise<void>;
}
export declare function open<T extends object = Job>(options?: OpenOptions): Client<T>;
