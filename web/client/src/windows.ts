/** The windows of rows that the program watches, whichever session they are answered by. */
import type { Link } from './link.js';
import type { FirstRows } from './protocol.js';
import type { Page, Query } from './types.js';

interface Window {
  query: Query;
  listener(page: Page<object>): void;
  sub: number | null;
}

export class Windows {
  readonly #windows = new Set<Window>();
  #link: Link | null = null;

  /** From now on this link answers. */
  attach(link: Link): void {
    this.#link = link;
    for (const window of this.#windows) window.sub = link.subscribe(window.query);
  }

  /** Watches one window; `first` is shown at once when the query asks for just that. */
  add(query: Query, listener: (page: Page<object>) => void, first: FirstRows | undefined): () => void {
    const window: Window = { query: { ...query }, listener, sub: null };
    this.#windows.add(window);
    if (first && isFirstQuery(query)) {
      listener({ rows: first.rows.slice(0, query.limit ?? first.rows.length), total: first.total });
    }
    if (this.#link) window.sub = this.#link.subscribe(window.query);
    return () => {
      this.#windows.delete(window);
      if (window.sub !== null) this.#link?.unsubscribe(window.sub);
    };
  }

  /** A window's rows, from the worker. */
  deliver(sub: number, page: Page<object>): void {
    for (const window of this.#windows) if (window.sub === sub) window.listener(page);
  }

  clear(): void {
    for (const { sub } of this.#windows) if (sub !== null) this.#link?.unsubscribe(sub);
    this.#windows.clear();
  }
}

/** Whether a query's first window is what the first-paint cache holds. */
function isFirstQuery({ q, sort, bin, offset }: Query): boolean {
  return !q && (sort === undefined || sort === '-created') && !bin && !offset;
}
