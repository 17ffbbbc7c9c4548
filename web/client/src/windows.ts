/** The windows of rows that the program watches, whichever session they are answered by. */
import type { Link } from './link.js';
import type { FirstRows, FromWorker } from './protocol.js';
import type { Page, Query, QueryFault, Row, Stretch, Subscription } from './types.js';

/** Rows that a window shows when it does not say. */
const LIMIT = 100;

interface Window {
  query: Query;
  listener(page: Page<object>): void;
  fault: ((fault: QueryFault) => void) | undefined;
  sub: number | null;
  /** The rows it was told last: it is told again only those that are new to it. */
  rows: Map<string, Row<object>>;
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
  add(
    query: Query,
    listener: (page: Page<object>) => void,
    fault: ((fault: QueryFault) => void) | undefined,
    first: FirstRows | undefined,
  ): Subscription {
    const window: Window = { query: { ...query }, listener, fault, sub: null, rows: new Map() };
    this.#windows.add(window);
    if (first && isFirstQuery(query)) {
      listener({ rows: first.rows.slice(0, query.limit ?? first.rows.length), total: first.total, offset: 0 });
    }
    if (this.#link) window.sub = this.#link.subscribe(window.query);
    const stop = () => {
      this.#windows.delete(window);
      if (window.sub !== null) this.#link?.unsubscribe(window.sub);
    };
    return Object.assign(stop, { move: (stretch: Stretch) => this.#move(window, stretch) });
  }

  /** A window's rows, from the worker. */
  deliver({ sub, offset, total, keys, rows }: FromWorker & { type: 'page' }): void {
    const window = this.#numbered(sub);
    if (!window) return;
    const news = new Map(rows.map((row) => [row.key, row]));
    const known = keys.map((key) => news.get(key) ?? window.rows.get(key)).filter((row) => row !== undefined);
    window.rows = new Map(known.map((row) => [row.key, row]));
    window.listener({ rows: known, total, offset });
  }

  /** A window whose query means nothing. `false`: nobody listens for that. */
  fail({ sub, message, at }: FromWorker & { type: 'page-failed' }): boolean {
    const window = this.#numbered(sub);
    window?.rows.clear();
    window?.fault?.({ message, at });
    return window?.fault !== undefined;
  }

  clear(): void {
    for (const { sub } of this.#windows) if (sub !== null) this.#link?.unsubscribe(sub);
    this.#windows.clear();
  }

  #move(window: Window, { offset, limit }: Stretch): void {
    const { query } = window;
    if (query.offset === offset && (query.limit ?? LIMIT) === limit) return;
    Object.assign(query, { offset, limit });
    if (window.sub !== null) this.#link?.move(window.sub, { offset, limit });
  }

  #numbered(sub: number): Window | undefined {
    for (const window of this.#windows) if (window.sub === sub) return window;
    return undefined;
  }
}

/** Whether a query's first window is what the first-paint cache holds. */
function isFirstQuery({ q, sort, bin, offset }: Query): boolean {
  return !q && (sort === undefined || sort === '-created') && !bin && !offset;
}
