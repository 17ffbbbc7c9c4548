/**
 * The rows for the first paint: read at once at the next start, before wasm is there (B3).
 *
 * Rewritten when the page is idle after changes, and when it is hidden, which is the last moment it can count on.
 */
import type { Env } from './env.js';
import type { Link } from './link.js';
import type { LocalStore } from './local.js';

/** Rows kept unless told, and at most. */
export const FIRST_ROWS = 24;
export const FIRST_ROWS_MAX = 100;
/** After a change, this long is waited for more of them. */
const QUIET_MS = 1_000;

export class FirstCache {
  readonly #env: Env;
  readonly #link: Link;
  readonly #store: () => LocalStore;
  readonly #limit: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stale = false;
  #writing = false;
  #closed = false;

  constructor(env: Env, link: Link, store: () => LocalStore, limit: number | undefined) {
    this.#env = env;
    this.#link = link;
    this.#store = store;
    this.#limit = Math.min(Math.max(0, Math.trunc(limit ?? FIRST_ROWS)), FIRST_ROWS_MAX);
  }

  /** Something changed: the cache will be rewritten when there is time. */
  touch(): void {
    this.#stale = true;
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#env.idle(() => void this.write());
    }, QUIET_MS);
  }

  /** Rewrites the cache now, if anything changed since. */
  async write(): Promise<void> {
    if (!this.#stale || this.#writing || this.#closed) return;
    this.#writing = true;
    this.#stale = false;
    try {
      this.#store().putFirst(await this.#link.ask({ type: 'first', limit: this.#limit }));
    } catch {
      // A cache: the next change writes it.
      this.#stale = true;
    } finally {
      this.#writing = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
