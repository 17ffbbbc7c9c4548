/**
 * The browser as the client needs it, in one place, so that tests can pass in another one.
 */
import { browserStorage, type KeyValue } from './local.js';

/** The part of `Worker` that is used. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  terminate(): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

/** The part of `LockManager` that is used. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

/** The page is hidden or shown, is left, comes back from the page cache, goes on- or offline. */
export type Happened = 'hidden' | 'visible' | 'left' | 'resumed' | 'online' | 'offline';

export interface Env {
  storage: KeyValue | null;
  /** Lives as long as the tab, reloads included. */
  session: KeyValue | null;
  /** Missing outside secure contexts. */
  locks: Locks | null;
  /** The page's origin. */
  origin: string;
  makeWorker(url?: URL | string): WorkerLike;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  now(): number;
  /** Runs `task` when the page has nothing better to do, at the latest after about two seconds. */
  idle(task: () => void): void;
  watch(listener: (happened: Happened) => void): () => void;
}

const IDLE_MS_MAX = 2_000;

/** The real thing. */
export function browserEnv(): Env {
  return {
    storage: browserStorage(),
    session: sessionOrNone(),
    locks: (navigator as Partial<Navigator>).locks ?? null,
    origin: location.origin,
    // Bundlers recognise exactly this form and bundle the worker with its wasm.
    makeWorker: (url) =>
      url === undefined
        ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
        : new Worker(url, { type: 'module' }),
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    idle: (task) => {
      if (typeof requestIdleCallback === 'function') requestIdleCallback(task, { timeout: IDLE_MS_MAX });
      else setTimeout(task, 200);
    },
    watch(listener) {
      const stop = new AbortController();
      const { signal } = stop;
      document.addEventListener('visibilitychange', () => listener(document.hidden ? 'hidden' : 'visible'), { signal });
      addEventListener('pagehide', () => listener('left'), { signal });
      addEventListener('pageshow', (event) => event.persisted && listener('resumed'), { signal });
      addEventListener('online', () => listener('online'), { signal });
      addEventListener('offline', () => listener('offline'), { signal });
      return () => stop.abort();
    },
  };
}

function sessionOrNone(): KeyValue | null {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null;
  }
}
